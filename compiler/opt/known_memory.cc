#include "compiler/opt/known_memory.h"

#include "absl/types/span.h"
#include "compiler/ir/fold.h"

namespace precast::opt {

using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

namespace {

bool IsStore(Opcode op) {
  return op == Opcode::kStore || op == Opcode::kStoreAt || op == Opcode::kStoreContext ||
         op == Opcode::kStoreHost || op == Opcode::kStoreState;
}

}  // namespace

std::optional<KnownMemory::Place> KnownMemory::PlaceOf(Inst i) const {
  const InstData& inst = f_.inst(i);
  const absl::Span<const Value> args = f_.args(i);
  const auto number = [&](size_t k) { return values_.Number(args[k]); };
  Place place;
  place.size = static_cast<uint8_t>(ir::AccessBytes(static_cast<MemKind>(inst.aux)));
  place.displacement = inst.imm;
  switch (inst.op) {
    case Opcode::kLoad:
    case Opcode::kStore:
      place.space = Space::kGuest;
      place.base = number(0);
      // Other than any that load_at and store_at can have.
      place.offset = 0xffffffffu;
      return place;
    case Opcode::kLoadAt:
    case Opcode::kStoreAt:
      place.space = Space::kGuest;
      place.base = number(0);
      place.offset = number(1);
      return place;
    case Opcode::kLoadContext:
    case Opcode::kStoreContext:
      place.space = Space::kContext;
      return place;
    case Opcode::kLoadHost:
    case Opcode::kStoreHost:
      place.space = Space::kHost;
      place.base = number(0);
      return place;
    case Opcode::kLoadState:
    case Opcode::kStoreState:
      place.space = Space::kState;
      place.size = 1;
      place.displacement = inst.aux;
      return place;
    default:
      return std::nullopt;
  }
}

bool KnownMemory::MayOverlap(const Place& a, const Place& b) {
  if (a.space != b.space) return false;
  if (a.base != b.base || a.offset != b.offset) return true;
  return a.displacement < b.displacement + b.size && b.displacement < a.displacement + a.size;
}

// What a load of `kind` and `type` gives at the place of `from`, which has the same size.
std::optional<Value> KnownMemory::Forward(const Access& from, MemKind kind, Type type) {
  if (from.type != type) return std::nullopt;
  if (!from.stored) {
    if (from.kind != kind) return std::nullopt;
    return from.value;
  }
  if (from.place.size == ir::TypeBytes(type) || from.place.space == Space::kState)
    return from.value;
  // A part of an integer was stored.
  switch (kind) {
    case MemKind::kU8:
      return builder_.And(from.value, builder_.Iconst(type, 0xff));
    case MemKind::kS8:
      return builder_.Unary(Opcode::kExtendS8, from.value);
    case MemKind::kU16:
      return builder_.And(from.value, builder_.Iconst(type, 0xffff));
    case MemKind::kS16:
      return builder_.Unary(Opcode::kExtendS16, from.value);
    case MemKind::kU32:
      return builder_.Unary(Opcode::kExtendU32, builder_.Unary(Opcode::kWrap, from.value));
    case MemKind::kS32:
      return builder_.Unary(Opcode::kExtendS32, builder_.Unary(Opcode::kWrap, from.value));
    default:
      return std::nullopt;
  }
}

std::optional<Value> KnownMemory::FindLoad(Inst i) {
  const InstData& inst = f_.inst(i);
  const std::optional<Place> place = PlaceOf(i);
  if (!place) return std::nullopt;
  for (const Access& access : accesses_) {
    if (access.place.space == place->space && access.place.size == place->size &&
        access.place.base == place->base && access.place.offset == place->offset &&
        access.place.displacement == place->displacement) {
      if (const std::optional<Value> v =
              Forward(access, static_cast<MemKind>(inst.aux), f_.type(f_.result(i)))) {
        return v;
      }
    }
  }
  return std::nullopt;
}

void KnownMemory::Add(const Access& access) {
  if (accesses_.size() == kMaxAccesses) accesses_.erase(accesses_.begin());
  if (accesses_.capacity() == 0) accesses_.reserve(kMaxAccesses);
  accesses_.push_back(access);
}

void KnownMemory::Execute(Inst i) {
  const InstData& inst = f_.inst(i);
  switch (inst.op) {
    case Opcode::kCall:
    case Opcode::kCallDispatch:
    case Opcode::kCallRuntime:
    case Opcode::kCallPointer:
      accesses_.clear();
      return;
    case Opcode::kAtomicRmw:
    case Opcode::kAtomicCmpxchg:
    case Opcode::kFence:
    case Opcode::kAcquire:
      // Other threads may have written.
      std::erase_if(accesses_, [](const Access& a) {
        return a.place.space == Space::kGuest || a.place.space == Space::kHost;
      });
      return;
    case Opcode::kDeferState:
    case Opcode::kMeter:
    case Opcode::kTrapIf:
      return;  // most of what is not an access
    default:
      break;
  }
  const std::optional<Place> place = PlaceOf(i);
  if (!place) return;
  const auto kind = static_cast<MemKind>(inst.aux);
  if (!IsStore(inst.op)) {
    Add({*place, kind, f_.type(f_.result(i)), false, f_.result(i)});
    return;
  }
  std::erase_if(accesses_, [&](const Access& a) { return MayOverlap(a.place, *place); });
  const Value v = f_.args(i).back();
  Add({*place, kind, f_.type(v), true, v});
}

}  // namespace precast::opt
