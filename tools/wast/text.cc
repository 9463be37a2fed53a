// See text.h.
#include "tools/wast/text.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "wabt/binary-writer-spec.h"
#include "wabt/binary-writer.h"
#include "wabt/error-formatter.h"
#include "wabt/feature.h"
#include "wabt/stream.h"
#include "wabt/wast-parser.h"

namespace precast::wast {
namespace {

wabt::Features AllFeatures() {
  wabt::Features features;
  features.EnableAll();
  // These change the meaning of what 2.0 says, in the library's version of them.
  features.set_function_references_enabled(false);
  features.set_gc_enabled(false);
  return features;
}

absl::Status Failed(std::string_view name, const wabt::Errors& errors,
                    wabt::LexerSourceLineFinder* lines) {
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": ", wabt::FormatErrorsToString(errors, wabt::Location::Type::Text, lines)));
}

}  // namespace

absl::StatusOr<Script> ParseScriptText(std::string_view name, std::string_view text) {
  wabt::Errors errors;
  std::unique_ptr<wabt::WastLexer> lexer =
      wabt::WastLexer::CreateBufferLexer(name, text.data(), text.size(), &errors);
  const wabt::Features features = AllFeatures();
  wabt::WastParseOptions options(features);
  std::unique_ptr<wabt::Script> script;
  if (wabt::Failed(wabt::ParseWastScript(lexer.get(), &script, &errors, &options))) {
    return Failed(name, errors, lexer->MakeLineFinder().get());
  }
  wabt::MemoryStream json;
  std::vector<wabt::FilenameMemoryStreamPair> modules;
  wabt::WriteBinaryOptions write;
  write.features = features;
  if (wabt::Failed(wabt::WriteBinarySpecScript(&json, script.get(), name, "module", write, &modules,
                                               nullptr))) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": cannot be written as binary modules"));
  }
  const std::vector<uint8_t>& bytes = json.output_buffer().data;
  return ParseScriptJson(
      name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
      [&](const std::string& file) -> absl::StatusOr<std::vector<uint8_t>> {
        for (const wabt::FilenameMemoryStreamPair& m : modules) {
          if (m.filename == file) return m.stream->output_buffer().data;
        }
        return absl::NotFoundError(absl::StrCat("no module ", file));
      });
}

absl::StatusOr<std::vector<uint8_t>> ModuleFromText(std::string_view name, std::string_view text) {
  wabt::Errors errors;
  std::unique_ptr<wabt::WastLexer> lexer =
      wabt::WastLexer::CreateBufferLexer(name, text.data(), text.size(), &errors);
  const wabt::Features features = AllFeatures();
  wabt::WastParseOptions options(features);
  std::unique_ptr<wabt::Module> module;
  if (wabt::Failed(wabt::ParseWatModule(lexer.get(), &module, &errors, &options))) {
    return Failed(name, errors, lexer->MakeLineFinder().get());
  }
  wabt::MemoryStream out;
  wabt::WriteBinaryOptions write;
  write.features = features;
  write.write_debug_names = true;
  if (wabt::Failed(wabt::WriteBinaryModule(&out, module.get(), write))) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": cannot be written as a binary module"));
  }
  return out.output_buffer().data;
}

}  // namespace precast::wast
