// Who this node is, and the numbers it hands out: pids and references that are never used twice in
// one life of the node.
//
//   Identity self("shop@host", creation);
//   dist::Pid pid = self.NextPid();
//
// Thread-safe. Source: OTP "External Term Format", NEW_PID_EXT, NEWER_REFERENCE_EXT.
#pragma once

#include <atomic>
#include <cstdint>

#include "dist/identifiers.h"

namespace noded::node {

class Identity {
 public:
  // `creation` tells this life of the node from earlier ones; not 0.
  Identity(dist::AtomName name, uint32_t creation) : name_(std::move(name)), creation_(creation) {}

  const dist::AtomName& name() const { return name_; }
  uint32_t creation() const { return creation_; }

  // True for identifiers of this node in this life.
  template <class Identifier>
  bool Owns(const Identifier& id) const {
    return id.node == name_ && id.creation == creation_;
  }

  dist::Pid NextPid();
  dist::Reference NextReference();

 private:
  const dist::AtomName name_;
  const uint32_t creation_;
  std::atomic<uint64_t> pids_{1};
  std::atomic<uint64_t> references_{1};
};

}  // namespace noded::node
