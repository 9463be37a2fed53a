#include "loader/testing/small_image.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "absl/log/check.h"
#include "compiler/image/image_builder.h"
#include "compiler/image/write_image.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/content_digest.h"
#include "loader/format/cpu_features.h"
#include "loader/format/sha256.h"
#include "loader/image_check.h"
#include "runtime/abi/vm_context.h"

namespace precast::loader {
namespace {

using codegen::CodeRelocation;
using codegen::CompiledFunction;
using codegen::Site;
using codegen::StateLocation;

CompiledFunction MakeFunction(const char* name, uint32_t pc, std::vector<uint8_t> code) {
  CompiledFunction function;
  function.name = name;
  function.code = std::move(code);
  function.entries = {{pc, 0}};
  function.guest_begin = pc;
  function.guest_end = pc + 16;
  function.frame_rules = {{0, 8}};
  function.lines = {{0, pc}};
  return function;
}

// sub $8, %rsp; call ...; add $8, %rsp; [add $1, %eax]; ret. The call's field is at offset
// `call.size() - 4 + 4`.
CompiledFunction MakeCaller(const char* name, uint32_t pc, std::vector<uint8_t> call,
                            CodeRelocation::Target target, uint32_t index, bool add_one) {
  std::vector<uint8_t> code = {0x48, 0x83, 0xec, 0x08};
  code.insert(code.end(), call.begin(), call.end());
  const auto after_call = static_cast<uint32_t>(code.size());
  for (uint8_t byte : {0x48, 0x83, 0xc4, 0x08}) code.push_back(byte);
  if (add_one) {
    for (uint8_t byte : {0x83, 0xc0, 0x01}) code.push_back(byte);
  }
  code.push_back(0xc3);
  CompiledFunction function = MakeFunction(name, pc, code);
  function.relocations = {{after_call - 4, target, index, -4}};
  function.frame_rules = {{0, 8}, {4, 16}, {after_call + 4, 8}};
  Site site{.code_offset = after_call,
            .kind = Site::Kind::kCall,
            .guest_pc = pc + 4,
            .refund = 3,
            .reset = true};
  function.sites = {site};
  function.lines = {{0, pc}, {after_call, pc + 4}};
  return function;
}

}  // namespace

format::Guid SmallProgramGuid() { return format::GuidOf(std::string_view("small program")); }

std::vector<uint8_t> MakeSmallImage(bool unpaid_access) {
  guest::Program program;
  program.guid = SmallProgramGuid();
  program.entry = kAnswerPc;
  program.initial_brk = 0x21004;
  program.phdr_address = 0x10034;
  program.phdr_count = 2;
  program.segments = {{.address = 0x10000,
                       .size = 0x1000,
                       .data = std::vector<uint8_t>(0x1000, 0x13),
                       .readable = true,
                       .writable = false,
                       .executable = true},
                      {.address = 0x20000,
                       .size = 0x2000,
                       .data = std::vector<uint8_t>(0x1000, 0x77),
                       .readable = true,
                       .writable = true,
                       .executable = false}};
  program.code = {{0x10000, 0x10050}};

  constexpr auto kDispatchMiss = static_cast<uint32_t>(abi::Callback::kDispatchMiss);
  constexpr auto kHostCall = static_cast<uint32_t>(abi::Callback::kHostCall);
  std::vector<CompiledFunction> functions;
  functions.push_back(MakeCaller("answer", kAnswerPc, {0xe8, 0, 0, 0, 0},
                                 CodeRelocation::Target::kFunction, kFortyOnePc, true));
  // mov $41, %eax; ret, then a trap with state in every kind of place.
  functions.push_back(
      MakeFunction("forty_one", kFortyOnePc, {0xb8, 41, 0, 0, 0, 0xc3, 0x0f, 0x0b}));
  Site trap{.code_offset = 6,
            .kind = Site::Kind::kTrap,
            .trap_code = static_cast<uint8_t>(abi::TrapCode::kBreakpoint),
            .guest_pc = kFortyOnePc + 4,
            .refund = 1,
            .reset = true,
            .state_end = 4};
  functions.back().sites = {trap};
  functions.back().states = {{5, StateLocation::Kind::kRegister, 12},
                             {6, StateLocation::Kind::kFrame, 24},
                             {7, StateLocation::Kind::kConstant, -5},
                             {abi::kSlotPc, StateLocation::Kind::kConstant, kFortyOnePc}};
  // call *got(%rip)
  functions.push_back(MakeCaller("through_got", kGotPc, {0xff, 0x15, 0, 0, 0, 0},
                                 CodeRelocation::Target::kGotRuntime, kDispatchMiss, false));
  // call plt
  functions.push_back(MakeCaller("through_plt", kPltPc, {0xe8, 0, 0, 0, 0},
                                 CodeRelocation::Target::kPltRuntime, kHostCall, false));
  // mov constant(%rip), %eax; ret
  functions.push_back(MakeFunction("constant", kConstantPc, {0x8b, 0x05, 0, 0, 0, 0, 0xc3}));
  functions.back().constants = {0x78, 0x56, 0x34, 0x12};
  functions.back().relocations = {{2, CodeRelocation::Target::kConstants, 0, -4}};
  if (unpaid_access) {
    functions.back().sites = {{.code_offset = 0,
                               .kind = Site::Kind::kMemory,
                               .guest_pc = kConstantPc,
                               .refund = static_cast<uint32_t>(-1),
                               .reset = true,
                               .more_end = 1}};
    functions.back().charges = {{kConstantPc, 0}};
  }

  image::LaidOutImage image =
      image::Build(program, functions, image::CoverEntries(kEntryPcs), image::ImageOptions{});
  return image::Finish(image);
}

absl::Span<const uint8_t> SmallWasmModule() {
  static constexpr uint8_t kModule[] = {
      0,  'a', 's',  'm',  1,    0,   0,    0,                     // magic, version
      1,  5,   1,    0x60, 0,    1,   0x7f,                        // type: () -> i32
      3,  3,   2,    0,    0,                                      // two functions
      5,  3,   1,    0,    1,                                      // memory of one page
      7,  19,  2,    6,    'm',  'e', 'm',  'o',  'r', 'y', 2, 0,  // exports: memory
      6,  'a', 'n',  's',  'w',  'e', 'r',  0,    0,               // and function 0
      10, 14,  2,                                                  // code
      7,  0,   0x10, 1,    0x41, 1,   0x6a, 0x0b,                  // call 1, i32.const 1, i32.add
      4,  0,   0x41, 41,   0x0b,                                   // i32.const 41
      11, 8,   1,    0,    0x41, 16,  0x0b, 2,    'h', 'i'};       // data at 16
  static_assert(kModule[kWasmAnswerPc + 1] == 0x10 && kModule[kWasmFortyOnePc + 1] == 0x41);
  return kModule;
}

std::vector<uint8_t> MakeSmallWasmImage(uint32_t pages) {
  guest::Program program;
  program.kind = guest::Kind::kWasm;
  program.module = SmallWasmModule();
  program.guid = format::GuidOf(program.module);
  program.memory_initialized = true;
  program.segments = {{.address = 0,
                       .size = pages * uint64_t{0x1000},
                       .data = std::vector<uint8_t>(pages * size_t{0x1000}),
                       .readable = true,
                       .writable = true,
                       .executable = false}};
  program.segments[0].data[16] = 'h';
  program.segments[0].data[17] = 'i';
  program.exports = {{"memory", guest::ExportKind::kMemory, 0},
                     {"answer", guest::ExportKind::kFunction, 0}};

  std::vector<CompiledFunction> functions;
  functions.push_back(MakeCaller("answer", kWasmAnswerPc, {0xe8, 0, 0, 0, 0},
                                 CodeRelocation::Target::kFunction, kWasmFortyOnePc, true));
  functions.push_back(
      MakeFunction("forty_one", kWasmFortyOnePc, {0xb8, 41, 0, 0, 0, 0xc3, 0x0f, 0x0b}));
  functions.back().guest_end = kWasmFortyOnePc + 4;
  functions.back().sites = {{.code_offset = 6,
                             .kind = Site::Kind::kTrap,
                             .trap_code = static_cast<uint8_t>(abi::TrapCode::kUnreachable),
                             .guest_pc = kWasmFortyOnePc + 1,
                             .refund = 1}};
  functions[0].guest_end = kWasmFortyOnePc - 1;
  image::LaidOutImage image = image::Build(program, functions, {},
                                           {.cpu_features = format::kX86_64V2,
                                            .canonical_nans = true,
                                            .imports = {{"library", SmallProgramGuid()}}});
  return image::Finish(image);
}

uint32_t InfoOffset(absl::Span<const uint8_t> image) {
  ImageView view;
  CheckImage(image, {.verify_digest = false}, &view);
  CHECK_NE(view.info_offset, 0u);
  return view.info_offset;
}

void FixDigest(std::vector<uint8_t>& image) {
  ImageView view;
  CheckImage(image, {.verify_digest = false}, &view);
  if (view.info_offset == 0) return;
  const size_t field = view.info_offset + offsetof(format::AotFileInfo, content_digest);
  const format::Sha256Digest actual = format::ContentDigest(image, field);
  std::copy(actual.begin(), actual.end(), image.begin() + static_cast<ptrdiff_t>(field));
}

}  // namespace precast::loader
