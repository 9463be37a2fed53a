// See disassembler.h.
#include "compiler/x64/disassembler.h"

#include <Zydis/Zydis.h>

#include "absl/log/check.h"

namespace precast::x64 {
namespace {

struct Context {
  const Symbolizer* symbolizer;
  uint64_t instruction;
};

ZydisFormatterFunc g_default_print_address;

// Prints an absolute address, symbolized if possible.
ZyanStatus PrintAddress(const ZydisFormatter* formatter, ZydisFormatterBuffer* buffer,
                        ZydisFormatterContext* context) {
  const auto* user = static_cast<const Context*>(context->user_data);
  ZyanU64 target = 0;
  if (user != nullptr && user->symbolizer != nullptr && *user->symbolizer &&
      ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(context->instruction, context->operand,
                                            context->runtime_address, &target))) {
    std::optional<std::string> name = (*user->symbolizer)(user->instruction, target);
    if (name.has_value()) {
      ZYAN_CHECK(ZydisFormatterBufferAppend(buffer, ZYDIS_TOKEN_SYMBOL));
      ZyanString* string = nullptr;
      ZYAN_CHECK(ZydisFormatterBufferGetString(buffer, &string));
      ZyanStringView view;
      ZYAN_CHECK(ZyanStringViewInsideBufferEx(&view, name->data(), name->size()));
      return ZyanStringAppend(string, &view);
    }
  }
  return g_default_print_address(formatter, buffer, context);
}

// The formatter, prepared once; read-only afterwards.
const ZydisFormatter& Formatter() {
  static const ZydisFormatter* const formatter = [] {
    auto* f = new ZydisFormatter;
    CHECK(ZYAN_SUCCESS(ZydisFormatterInit(f, ZYDIS_FORMATTER_STYLE_INTEL)));
    CHECK(
        ZYAN_SUCCESS(ZydisFormatterSetProperty(f, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE)));
    for (auto property :
         {ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_FORMATTER_PROP_IMM_PADDING,
          ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE}) {
      CHECK(ZYAN_SUCCESS(ZydisFormatterSetProperty(f, property, ZYDIS_PADDING_DISABLED)));
    }
    const void* hook = reinterpret_cast<const void*>(&PrintAddress);
    CHECK(ZYAN_SUCCESS(ZydisFormatterSetHook(f, ZYDIS_FORMATTER_FUNC_PRINT_ADDRESS_ABS, &hook)));
    // SetHook gives the function it replaced.
    g_default_print_address = reinterpret_cast<ZydisFormatterFunc>(const_cast<void*>(hook));
    return f;
  }();
  return *formatter;
}

}  // namespace

std::vector<DisassembledLine> Disassemble(absl::Span<const uint8_t> code, uint64_t address,
                                          const Symbolizer& symbolizer) {
  const ZydisFormatter& formatter = Formatter();
  ZydisDecoder decoder;
  CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
  std::vector<DisassembledLine> lines;
  for (size_t at = 0; at < code.size();) {
    DisassembledLine line;
    line.address = address + at;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    char text[256];
    Context context{&symbolizer, line.address};
    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data() + at, code.size() - at,
                                            &instruction, operands)) &&
        ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &instruction, operands,
                                                     instruction.operand_count_visible, text,
                                                     sizeof text, line.address, &context))) {
      line.size = instruction.length;
      line.valid = true;
      line.text = text;
    } else {
      line.size = 1;
      line.text = "(bad)";
    }
    at += line.size;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace precast::x64
