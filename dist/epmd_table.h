// What an epmd knows, and how it answers: the registered nodes and their creations, without any
// socket.
//
//   EpmdTable table(options);
//   EpmdAnswer answer = table.Answer(request, {.client = 7, .is_local = true});
//   ... send answer.reply; answer.next says what becomes of the connection ...
//   table.Forget(7);                             // its connection closed
//
// Sans-IO, loop-confined. Nothing fails: a request that may not be answered gets an empty reply.
// Source: as dist/epmd_format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/buffer.h"
#include "dist/epmd_format.h"

namespace noded::dist {

// One connection to an epmd; numbers are not used twice.
using EpmdClientId = uint64_t;

struct EpmdAnswer {
  enum class Next {
    kClose,       // send the reply, then close
    kKeep,        // the client is a registered node now: keep it until it closes
    kStopClient,  // also close the connection of `stopped`, whose node is unregistered already
    kStopServer,
  };
  base::Buffer reply;
  Next next = Next::kClose;
  EpmdClientId stopped = 0;
};

class EpmdTable {
 public:
  struct Options {
    uint16_t epmd_port = kEpmdPort;  // as told in names and dumps
    uint32_t first_creation = 1;     // where creations begin: something that differs every start
    bool relaxed_command_check = false;
  };
  struct Asker {
    EpmdClientId client = 0;
    bool is_local = false;
  };

  explicit EpmdTable(const Options& options);

  EpmdAnswer Answer(const EpmdRequest& request, const Asker& asker);
  // Unregisters the client's node, if it has one.
  void Forget(EpmdClientId client);

  const EpmdNode* Find(const std::string& name) const;
  bool IsNode(EpmdClientId client) const { return names_.contains(client); }
  size_t size() const { return nodes_.size(); }

 private:
  struct Entry {
    EpmdNode node;
    EpmdClientId client;
  };

  EpmdAnswer Register(const EpmdNode& node, const Asker& asker);
  EpmdAnswer Stop(const std::string& name);
  EpmdAnswer Names() const;
  EpmdAnswer Dump() const;

  Options options_;
  uint32_t creation_;
  std::map<std::string, Entry> nodes_;
  std::map<EpmdClientId, std::string> names_;
};

}  // namespace noded::dist
