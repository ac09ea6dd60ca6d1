// The tags of the external term format, by their names in OTP's documentation of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace noded::dist {

inline constexpr uint8_t kVersionMagic = 131;

enum class Tag : uint8_t {
  kBitBinary = 77,
  kCompressed = 80,
  kAtomCacheRef = 82,
  kNewPid = 88,
  kNewPort = 89,
  kNewerReference = 90,
  kNewFloat = 70,
  kSmallInteger = 97,
  kInteger = 98,
  kFloat = 99,
  kAtom = 100,
  kReference = 101,
  kPort = 102,
  kPid = 103,
  kSmallTuple = 104,
  kLargeTuple = 105,
  kNil = 106,
  kString = 107,
  kList = 108,
  kBinary = 109,
  kSmallBig = 110,
  kLargeBig = 111,
  kNewFun = 112,
  kExport = 113,
  kNewReference = 114,
  kSmallAtom = 115,
  kMap = 116,
  kFun = 117,
  kAtomUtf8 = 118,
  kSmallAtomUtf8 = 119,
  kV4Port = 120,
  kLocal = 121,
};

// Of tags that are known and not read: why. Empty for all others.
constexpr std::string_view WhyRefused(Tag tag) {
  switch (tag) {
    case Tag::kCompressed:
      return "(COMPRESSED) inside a term, where it may not stand";
    case Tag::kFun:
      return "(FUN_EXT), which no Erlang since R8 writes";
    case Tag::kLocal:
      return "(LOCAL_EXT), which only the node that made it can read: make the term with "
             "term_to_binary without the option `local`";
    default:
      return "";
  }
}

}  // namespace noded::dist
