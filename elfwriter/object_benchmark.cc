// How long the object writer takes for images of some size: it must stay far below the time that
// compiling takes. Run with:
//   bazel run --config=opt //elfwriter:object_benchmark

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "elfwriter/assembly.h"
#include "elfwriter/object.h"
#include "elfwriter/sample_object.h"

namespace precast::elfwriter {
namespace {

// Functions with a symbol and an FDE each.
void BM_WriteFunctions(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(MakeSampleObject({.numbered_functions = count})->Write());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_WriteFunctions)->Arg(100)->Arg(10000)->Arg(100000)->Unit(benchmark::kMicrosecond);

// A text section of 20 bytes for each GOT reference.
void BM_WriteFixups(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  const std::vector<uint8_t> code(count * 20, 0x90);
  for (auto _ : state) {
    Object object({.build_id = {1}});
    const SectionId text =
        object.AddSection({.name = ".text", .segment = Segment::kText, .alignment = 16});
    object.SetContentsView(text, code);
    const SectionId got = object.AddSection(
        {.name = ".got", .segment = Segment::kRelro, .alignment = 8}, std::vector<uint8_t>(8000));
    for (uint64_t i = 0; i < count; ++i) {
      object.AddFixup({text, i * 20, FixupKind::kPcRelative32, got, 4});
    }
    object.Layout();
    benchmark::DoNotOptimize(object.Write());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(code.size()));
}
BENCHMARK(BM_WriteFixups)->Arg(1000)->Arg(200000)->Unit(benchmark::kMicrosecond);

void BM_WriteAssembly(benchmark::State& state) {
  const auto object =
      MakeSampleObject({.numbered_functions = static_cast<uint32_t>(state.range(0))});
  for (auto _ : state) benchmark::DoNotOptimize(WriteAssembly(*object));
}
BENCHMARK(BM_WriteAssembly)->Arg(10000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace precast::elfwriter
