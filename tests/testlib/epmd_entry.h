// A node that is registered with an epmd and need not exist: who looks for it gets this port.
//
//   EpmdEntry entry(epmd.port(), "shop", tap.port());      // "shop@127.0.0.1" is behind the tap
//   now
//
// Registered from the constructor to the destructor. A refusal is a test failure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/loop.h"
#include "dist/epmd_client.h"

namespace noded::testlib {

class EpmdEntry {
 public:
  EpmdEntry(uint16_t epmd_port, const std::string& name, uint16_t port);
  ~EpmdEntry();
  EpmdEntry(const EpmdEntry&) = delete;
  EpmdEntry& operator=(const EpmdEntry&) = delete;

 private:
  base::Loop loop_;
  std::unique_ptr<dist::EpmdRegistration> registration_;
};

}  // namespace noded::testlib
