#include "loader/format/records.h"

#include "absl/log/check.h"

namespace precast::format {

std::vector<uint8_t> EncodeFunctionInfo(const FunctionInfo& info) {
  CHECK_LE(info.guest_begin, info.guest_end);
  ByteWriter writer;
  writer.Varint(info.code_size);
  writer.Varint(info.guest_begin);
  writer.Varint(info.guest_end - info.guest_begin);
  writer.Varint(static_cast<uint32_t>(info.got_slots.size()));
  uint32_t previous = 0;
  for (uint32_t slot : info.got_slots) {
    CHECK_GE(slot, previous) << "GOT slots of a function must be ascending";
    writer.Varint(slot - previous);
    previous = slot;
  }
  return writer.Take();
}

std::optional<FunctionInfo> DecodeFunctionInfo(const BlobReader& blob, uint32_t offset) {
  std::optional<ByteReader> reader = blob.At(offset);
  if (!reader) return std::nullopt;
  FunctionInfo info;
  info.code_size = reader->Varint();
  info.guest_begin = reader->Varint();
  info.guest_end = info.guest_begin + reader->Varint();
  if (info.guest_end < info.guest_begin) return std::nullopt;
  info.got_slots.resize(reader->Count());
  uint32_t slot = 0;
  for (uint32_t& out : info.got_slots) out = slot += reader->Varint();
  if (!reader->ok()) return std::nullopt;
  return info;
}

std::optional<uint32_t> DecodeFunctionCodeSize(const BlobReader& blob, uint32_t offset) {
  std::optional<ByteReader> reader = blob.At(offset);
  if (!reader) return std::nullopt;
  const uint32_t size = reader->Varint();
  if (!reader->ok()) return std::nullopt;
  return size;
}

std::vector<uint8_t> EncodeGotInfo(const GotInfo& info) {
  ByteWriter writer;
  writer.Byte(static_cast<uint8_t>(info.kind));
  writer.Varint(info.index);
  return writer.Take();
}

std::optional<GotInfo> DecodeGotInfo(const BlobReader& blob, uint32_t offset) {
  std::optional<ByteReader> reader = blob.At(offset);
  if (!reader) return std::nullopt;
  GotInfo info;
  info.kind = static_cast<GotInfo::Kind>(reader->Byte());
  info.index = reader->Varint();
  if (!reader->ok() || info.kind != GotInfo::Kind::kRuntimeCallback) return std::nullopt;
  return info;
}

std::vector<uint8_t> EncodePltInfo(const PltInfo& info) {
  ByteWriter writer;
  writer.Byte(static_cast<uint8_t>(info.kind));
  writer.Varint(info.index);
  if (info.kind == PltInfo::Kind::kImport) writer.Varint(info.image);
  return writer.Take();
}

std::optional<PltInfo> DecodePltInfo(const BlobReader& blob, uint32_t offset) {
  std::optional<ByteReader> reader = blob.At(offset);
  if (!reader) return std::nullopt;
  PltInfo info;
  info.kind = static_cast<PltInfo::Kind>(reader->Byte());
  info.index = reader->Varint();
  switch (info.kind) {
    case PltInfo::Kind::kFunction:
    case PltInfo::Kind::kRuntimeCallback:
      break;
    case PltInfo::Kind::kImport:
      info.image = reader->Varint();
      break;
    default:
      return std::nullopt;
  }
  if (!reader->ok()) return std::nullopt;
  return info;
}

}  // namespace precast::format
