#include "runtime/openvm/segments/testing/guests.h"

#include <utility>

#include "absl/log/check.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {

ProgramImage LoopGuest(uint32_t rounds, uint32_t stride, uint8_t exit_code) {
  using namespace rv32;  // NOLINT: instructions are words of a language here
  constexpr uint32_t kCode = 0x10000, kData = 0x40000, kMask = 0x3fffc;
  auto li = [](std::vector<uint32_t>& words, uint32_t rd, uint32_t value) {
    words.push_back(lui(rd, (value + 0x800) >> 12));
    words.push_back(addi(rd, rd, static_cast<int32_t>(value << 20) >> 20));
  };
  std::vector<uint32_t> words;
  li(words, s0, kData);
  li(words, s1, rounds);
  li(words, s2, stride);
  li(words, s3, kMask);
  words.push_back(addi(t0, zero, 4));
  words.push_back(IType(2, 0, 3, t0, 0x0b));  // hintrandom 4·t0 bytes
  const size_t loop = words.size();
  words.push_back(add(t2, s0, t1));
  words.push_back(RType(1, s1, s1, 0, a0, 0x33));  // mul a0, s1, s1
  words.push_back(RType(0, a1, a0, 4, a0, 0x33));  // xor a0, a0, a1
  words.push_back(SType(0, a0, t2, 2));            // sw a0, 0(t2)
  words.push_back(IType(0, t2, 0, a2, 0x03));      // lb a2, 0(t2)
  words.push_back(add(a1, a1, a2));
  words.push_back(add(t1, t1, s2));
  words.push_back(RType(0, s3, t1, 7, t1, 0x33));  // and t1, t1, s3
  words.push_back(addi(s1, s1, -1));
  words.push_back(IType(255, s1, 7, t3, 0x13));  // andi t3, s1, 255
  words.push_back(BType(12, zero, t3, 1));       // bne t3, x0, +12
  words.push_back(IType(2, 0, 3, t0, 0x0b));     // hintrandom
  words.push_back(IType(0, 0, 1, s0, 0x0b));     // hintstorew [s0]
  const auto back = static_cast<int32_t>(loop - words.size()) * 4;
  words.push_back(BType(back, zero, s1, 1));         // bne s1, x0, loop
  words.push_back(IType(4, a1, 2, zero, 0x0b));      // reveal a1 at 4
  words.push_back(IType(exit_code, 0, 0, 0, 0x0b));  // terminate
  return ProgramOfWords(kCode, words);
}

precast::openvm::Config GuestMachine() {
  precast::openvm::Config config;
  config.memory_bits = kGuestMemoryBits;
  return config;
}

std::unique_ptr<Instance> StartGuest(const ProgramImage& program) {
  OpenVmHostOptions options;
  options.config = GuestMachine();
  options.stdout_fd = -1;
  absl::StatusOr<std::unique_ptr<OpenVmHost>> host = OpenVmHost::Create(std::move(options));
  CHECK(host.ok()) << host.status();
  absl::StatusOr<std::unique_ptr<Instance>> instance =
      Instance::Create(program, nullptr, *std::move(host), {});
  CHECK(instance.ok()) << instance.status();
  return *std::move(instance);
}

precast::openvm::MeteringConfig SmallMetering(uint32_t height_bits) {
  precast::openvm::MeteringConfig config = precast::openvm::DefaultMetering(GuestMachine());
  config.max_height_bits = height_bits;
  return config;
}

}  // namespace precast::runtime
