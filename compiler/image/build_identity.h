// Which compiler made an image: part of the image's identity, so that a changed compiler never
// reuses what another one left in a cache.
#ifndef PRECAST_COMPILER_IMAGE_BUILD_IDENTITY_H_
#define PRECAST_COMPILER_IMAGE_BUILD_IDENTITY_H_

#include <string_view>

#include "compiler/image/source_hash.h"

namespace precast::image {

// The release, and a hash over the sources of everything that decides an image's bytes.
inline constexpr std::string_view kCompilerIdentity = "precast 0.1 (" PRECAST_SOURCE_HASH ")";

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_BUILD_IDENTITY_H_
