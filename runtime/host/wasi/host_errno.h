// Host errors and file types as WASI counts them.
#ifndef PRECAST_RUNTIME_HOST_WASI_HOST_ERRNO_H_
#define PRECAST_RUNTIME_HOST_WASI_HOST_ERRNO_H_

#include <sys/types.h>

#include "runtime/host/wasi/wasi_abi.h"

namespace precast::runtime::wasi {

// Of a value of errno(3); EIO for those that WASI does not know.
Errno FromHost(int host_errno);
// Of st_mode.
Filetype FiletypeOf(mode_t mode);

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_HOST_ERRNO_H_
