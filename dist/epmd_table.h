// What an epmd knows, and how it answers: the registered nodes and their creations, without any
// socket.
//
//   EpmdTable table(options);
//   EpmdAnswer answer = table.Answer(request, {.client = 7, .is_local = true});
//   ... send answer.reply; answer.next says what becomes of the connection ...
//   table.Forget(7);                             // its connection closed
//
// Sans-IO, loop-confined. Nothing fails: a request that may not be answered gets an empty reply.
// Source: as dist/epmd_format.h. Other than there: who is refused a registration is not kept
// connected, a name with control characters is refused, one of 255 characters can be looked up
// too, and the answer to stopping an unknown node is NOEXIST alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "base/buffer.h"
#include "base/limits.h"
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
    // Local clients may unregister others, and stop the server while nodes are registered.
    bool relaxed_command_check = false;
    // Names of nodes that are gone, which are kept for dumps and for their next creation.
    size_t max_old_names = base::Limits().max_epmd_old_names;
  };
  struct Asker {
    EpmdClientId client = 0;
    bool is_local = false;
  };

  explicit EpmdTable(const Options& options);
  EpmdTable(const EpmdTable&) = delete;
  EpmdTable& operator=(const EpmdTable&) = delete;

  EpmdAnswer Answer(const EpmdRequest& request, const Asker& asker);
  // Unregisters the client's node, if it has one.
  void Forget(EpmdClientId client);

  const EpmdNode* Find(const std::string& name) const;
  bool IsNode(EpmdClientId client) const { return by_client_.contains(client); }
  size_t size() const { return nodes_.size(); }

 private:
  struct Entry {
    EpmdNode node;
    EpmdClientId client = 0;
    uint32_t creation = 0;  // as it was told
  };
  using Entries = std::list<Entry>;

  EpmdAnswer Register(const EpmdNode& node, const Asker& asker);
  EpmdAnswer Kill() const;
  EpmdAnswer Stop(const std::string& name);
  EpmdAnswer Names() const;
  EpmdAnswer Dump() const;
  uint32_t NextCreation(bool is_wide, uint32_t last);
  uint32_t TakeOldCreation(const std::string& name);

  Options options_;
  uint32_t creation_;
  Entries nodes_;  // newest first, in which order epmd lists them
  Entries old_;    // longest gone first; without their extra
  std::map<std::string, Entries::iterator> by_name_;
  std::map<EpmdClientId, Entries::iterator> by_client_;
};

}  // namespace noded::dist
