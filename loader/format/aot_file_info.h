// What the one dynamic symbol of an image, `aot_file_info`, points at: who made the image from what
// for which runtime and machine, and where everything else is. A fixed layout of little-endian
// fields, all offsets image-relative, so that it needs no relocation and can be read from the file
// before anything is mapped. docs/image_format.md describes the whole image byte by byte.
#ifndef PRECAST_LOADER_FORMAT_AOT_FILE_INFO_H_
#define PRECAST_LOADER_FORMAT_AOT_FILE_INFO_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace precast::format {

static_assert(std::endian::native == std::endian::little, "images are for x86-64");

// Name of the only dynamic symbol.
inline constexpr char kAotFileInfoSymbol[] = "aot_file_info";

inline constexpr std::array<uint8_t, 8> kMagic = {'P', 'R', 'E', 'C', 'A', 'S', 'T', 0};

// Raised by every change of the format, however small: a loader reads exactly one version. (What an
// image is worth is the time to compile it again; what a wrong guess about compatibility costs is
// unbounded.)
inline constexpr uint32_t kFormatVersion = 8;

// An image is smaller than this, so that every PC-relative field reaches.
inline constexpr uint64_t kMaxImageSize = uint64_t{1} << 31;

enum class GuestKind : uint32_t { kRiscV32 = 1, kWasm = 2 };

// Bits of AotFileInfo::flags.
enum class ImageFlag : uint32_t {
  kMetered = 1u << 0,            // code counts retired instructions (RISC-V) or fuel (Wasm)
  kMetadataOnly = 1u << 1,       // no code: .text may be empty
  kCanonicalNans = 1u << 2,      // Wasm: NaN results of arithmetic are canonical
  kMemoryInitialized = 1u << 3,  // Wasm: the segments are memory 0 after its active data segments
  kCountsRows = 1u << 4  // OpenVM: code counts rows and marks pages (runtime/abi/meter_area.h)
};
inline constexpr uint32_t kKnownFlags = 31;
inline constexpr uint32_t kRiscVFlags = static_cast<uint32_t>(ImageFlag::kCountsRows);
inline constexpr uint32_t kWasmFlags = static_cast<uint32_t>(ImageFlag::kCanonicalNans) |
                                       static_cast<uint32_t>(ImageFlag::kMemoryInitialized);

constexpr bool HasFlag(uint32_t flags, ImageFlag flag) {
  return (flags & static_cast<uint32_t>(flag)) != 0;
}

// A range of bytes of the image. Offset and size are 0 if there is none.
struct Range {
  uint32_t offset;  // from the image base, which is also the offset in the file
  uint32_t size;    // in bytes
};

enum class Table : uint32_t {
  kBlob,          // blob.h
  kFunction,      // offset table: start of each function, relative to `text`
  kFunctionInfo,  // offset table into the blob: records.h, FunctionInfo
  kExInfo,        // offset table into the blob: ex_info.h
  kGotInfo,       // offset table into the blob: records.h, GotInfo
  kPltInfo,       // offset table into the blob: records.h, PltInfo
  kDispatch,      // int32 for every instruction of the covered range: see dispatch_base_pc
  kExports,       // export_table.h
  kImages,        // metadata.h, imported images
  kMetadata,      // metadata.h
  kEntries,       // Wasm, offset table: guest pc at which each function is entered; ascending
  kDeclared,      // Wasm: function_references.h, declared functions
  kElements,      // Wasm: function_references.h, element functions
};
inline constexpr uint32_t kTableCount = 13;

// Names of the tables, for reports; index is a Table.
inline constexpr const char* kTableNames[kTableCount] = {
    "blob",    "function", "function_info", "ex_info", "got_info", "plt_info", "dispatch",
    "exports", "images",   "metadata",      "entries", "declared", "elements"};

struct AotFileInfo {
  // These three never move, whatever the version.
  std::array<uint8_t, 8> magic;  // kMagic
  uint32_t format_version;       // kFormatVersion
  uint32_t struct_size;          // sizeof(AotFileInfo)

  // SHA-256 of all bytes of the file, from the ELF header to the section headers, with these 32
  // taken as zero.
  std::array<uint8_t, 32> content_digest;
  std::array<uint8_t, 16> program_guid;  // first bytes of the SHA-256 of the program file
  std::array<uint8_t, 16> options_guid;  // first bytes of the SHA-256 of the canonical options text
  std::array<uint8_t, 16> abi_fingerprint;  // runtime/abi/fingerprint.h
  uint64_t cpu_features;  // bits of CpuFeature that the code needs: cpu_features.h
  uint32_t guest_kind;    // GuestKind
  uint32_t flags;         // bits of ImageFlag

  Range text;          // functions, 16-aligned; without the PLT
  Range plt;           // stubs of kPltEntrySize bytes; same segment as text
  Range got;           // 8-byte slots described by got_info; read-only once filled in
  Range got_plt;       // 8-byte slots, one per PLT stub, described by plt_info; stay writable
  Range guest_data;    // initial contents of guest memory, whole pages
  Range eh_frame;      // with its terminating zero word
  Range guest_module;  // Wasm: the module file; program_guid is its hash

  // Entry i of the dispatch table is for guest pc dispatch_base_pc + (i << dispatch_shift): the
  // native entry's address minus the address of the table, or 0 if there is none.
  uint32_t dispatch_base_pc;
  uint32_t dispatch_shift;

  uint32_t table_count;  // kTableCount
  uint32_t reserved;     // 0
  std::array<Range, kTableCount> tables;
};

// PLT stub: endbr64; mov $index, %r11d; jmp *slot(%rip).
inline constexpr uint32_t kPltEntrySize = 16;

static_assert(sizeof(Range) == 8);
static_assert(offsetof(AotFileInfo, magic) == 0);
static_assert(offsetof(AotFileInfo, format_version) == 8);
static_assert(offsetof(AotFileInfo, struct_size) == 12);
static_assert(offsetof(AotFileInfo, content_digest) == 16);
static_assert(offsetof(AotFileInfo, program_guid) == 48);
static_assert(offsetof(AotFileInfo, options_guid) == 64);
static_assert(offsetof(AotFileInfo, abi_fingerprint) == 80);
static_assert(offsetof(AotFileInfo, cpu_features) == 96);
static_assert(offsetof(AotFileInfo, guest_kind) == 104);
static_assert(offsetof(AotFileInfo, flags) == 108);
static_assert(offsetof(AotFileInfo, text) == 112);
static_assert(offsetof(AotFileInfo, plt) == 120);
static_assert(offsetof(AotFileInfo, got) == 128);
static_assert(offsetof(AotFileInfo, got_plt) == 136);
static_assert(offsetof(AotFileInfo, guest_data) == 144);
static_assert(offsetof(AotFileInfo, eh_frame) == 152);
static_assert(offsetof(AotFileInfo, guest_module) == 160);
static_assert(offsetof(AotFileInfo, dispatch_base_pc) == 168);
static_assert(offsetof(AotFileInfo, dispatch_shift) == 172);
static_assert(offsetof(AotFileInfo, table_count) == 176);
static_assert(offsetof(AotFileInfo, reserved) == 180);
static_assert(offsetof(AotFileInfo, tables) == 184);
static_assert(sizeof(AotFileInfo) == 288);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_AOT_FILE_INFO_H_
