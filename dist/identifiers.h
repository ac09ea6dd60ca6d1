// What names a process, a port or a reference anywhere in a cluster: plain values.
//
//   Pid pid{.node = "a@host", .id = 107, .serial = 0, .creation = 1655000000};
//   Reference ref(node, creation, {1, 2, 3});
//
// `creation` tells one life of a node from the next: equal numbers with another creation are
// another process. Source: OTP "External Term Format", NEW_PID_EXT, V4_PORT_EXT,
// NEWER_REFERENCE_EXT.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "dist/atom_name.h"

namespace noded::dist {

struct Pid {
  AtomName node;
  uint32_t id = 0;
  uint32_t serial = 0;
  uint32_t creation = 0;

  friend bool operator==(const Pid&, const Pid&) = default;
};

struct Port {
  AtomName node;
  uint64_t id = 0;
  uint32_t creation = 0;

  friend bool operator==(const Port&, const Port&) = default;
};

struct Reference {
  static constexpr size_t kMaxIds = 5;

  Reference() = default;
  // At most kMaxIds numbers, in the order of the wire; more are cut off.
  Reference(AtomName node, uint32_t creation, std::span<const uint32_t> numbers)
      : node(std::move(node)),
        creation(creation),
        id_count(static_cast<uint8_t>(std::min(numbers.size(), kMaxIds))) {
    std::copy_n(numbers.begin(), id_count, id_words.begin());
  }
  Reference(AtomName node, uint32_t creation, std::initializer_list<uint32_t> numbers)
      : Reference(std::move(node), creation, std::span(numbers.begin(), numbers.size())) {}

  std::span<const uint32_t> ids() const { return {id_words.data(), id_count}; }

  friend bool operator==(const Reference&, const Reference&) = default;

  AtomName node;
  uint32_t creation = 0;
  uint8_t id_count = 0;
  std::array<uint32_t, kMaxIds> id_words{};  // those past id_count are zero
};

// For std::unordered_map and absl::flat_hash_map: `std::unordered_map<Pid, X, IdentifierHash>`.
struct IdentifierHash {
  size_t operator()(const Pid& pid) const;
  size_t operator()(const Port& port) const;
  size_t operator()(const Reference& reference) const;
};

}  // namespace noded::dist
