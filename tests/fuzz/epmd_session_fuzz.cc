// An epmd with several clients that come, say anything in any pieces, and go: no crash, and after
// each step it knows the nodes that were accepted and are still there, and no others.
//
// The first byte of the input: whether command checks are relaxed. Then steps, each of two bytes
// and what the second one counts:
//   .....sss  the client          ....l...  it is of this machine
//   ..aa....  0: sends these bytes, 1: sends these as a request (with their length in front),
//             2: leaves, 3: somebody else asks for names and a dump
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "dist/epmd_format.h"
#include "dist/epmd_table.h"

namespace {

using noded::base::ByteReader;
using noded::base::ByteView;
using noded::base::Slice;
using namespace noded::dist;

constexpr size_t kSlots = 8;
constexpr uint32_t kNarrowCreations = 3;

void Require(bool claim) {
  if (!claim) std::abort();
}

struct Client {
  EpmdClientId id = 0;
  bool is_local = false;
  bool is_node = false;
  EpmdRequestReader reader{noded::base::Limits()};
};

class Epmd {
 public:
  explicit Epmd(bool relaxed)
      : relaxed_(relaxed), table_({.first_creation = 0, .relaxed_command_check = relaxed}) {}

  // What a server does with what it reads; false when it has ended.
  bool Send(size_t slot, bool is_local, ByteView bytes) {
    std::optional<Client>& client = clients_[slot];
    if (!client) client = Client{.id = ++last_id_, .is_local = is_local};
    if (client->is_node) {  // it says more than its registration
      Leave(slot);
      return true;
    }
    client->reader.Feed(bytes);
    auto request = client->reader.Next();
    if (!request.ok()) Leave(slot);
    if (!request.ok() || !*request) return true;
    EpmdAnswer answer = table_.Answer(**request, {client->id, client->is_local});
    const EpmdAnswer::Next next = answer.next;
    const EpmdClientId stopped = answer.stopped;
    Judge(*client, **request, std::move(answer));
    if (next == EpmdAnswer::Next::kStopServer) return false;
    if (next == EpmdAnswer::Next::kStopClient) Stopped(stopped);
    if (next != EpmdAnswer::Next::kKeep) Leave(slot);
    return true;
  }

  void Leave(size_t slot) {
    if (!clients_[slot]) return;
    table_.Forget(clients_[slot]->id);
    Erase(clients_[slot]->id);
    clients_[slot].reset();
  }

  void CheckAll() {
    Require(table_.size() == nodes_.size());
    EpmdAnswer listed = table_.Answer(EpmdNames{}, {++last_id_, false});
    Require(listed.next == EpmdAnswer::Next::kClose);
    auto names = DecodeEpmdNamesReply(listed.reply.ToSlice());
    Require(names.ok() && names->names.size() == nodes_.size());
    for (const EpmdName& name : names->names) {
      const auto node = nodes_.find(name.name);
      Require(node != nodes_.end() && node->second.node.port == name.port);
      Require(*table_.Find(name.name) == node->second.node);
    }
    Require(!table_.Answer(EpmdDump{}, {++last_id_, true}).reply.empty());
    Require(table_.Answer(EpmdDump{}, {++last_id_, false}).reply.empty());
  }

 private:
  struct Known {
    EpmdNode node;
    EpmdClientId client = 0;
  };

  void Judge(Client& client, const EpmdRequest& request, EpmdAnswer answer) {
    const Slice reply = answer.reply.ToSlice();
    const bool asks_only =
        std::holds_alternative<EpmdLookUp>(request) || std::holds_alternative<EpmdNames>(request);
    if (!asks_only && !client.is_local) {
      Require(reply.empty() && answer.next == EpmdAnswer::Next::kClose);
      return;
    }
    if (const auto* wanted = std::get_if<EpmdRegister>(&request)) {
      JudgeRegistration(client, wanted->node, reply, answer.next);
    } else if (const auto* look_up = std::get_if<EpmdLookUp>(&request)) {
      auto found = DecodeEpmdLookUpReply(reply);
      const auto node = nodes_.find(look_up->name);
      if (node != nodes_.end()) {
        Require(found.ok() && *found && (*found)->node == node->second.node);
      } else {
        Require(reply.empty() || (found.ok() && *found && !(*found)->node));
      }
    } else if (std::holds_alternative<EpmdKill>(request)) {
      const bool is_obeyed = answer.next == EpmdAnswer::Next::kStopServer;
      Require(is_obeyed == (relaxed_ || nodes_.empty()));
    } else if (const auto* stop = std::get_if<EpmdStop>(&request)) {
      const bool is_obeyed = answer.next == EpmdAnswer::Next::kStopClient;
      Require(is_obeyed == (relaxed_ && nodes_.contains(stop->name)));
      if (is_obeyed) Require(nodes_.at(stop->name).client == answer.stopped);
    }
  }

  void JudgeRegistration(Client& client, const EpmdNode& node, ByteView bytes,
                         EpmdAnswer::Next next) {
    auto reply = DecodeEpmdRegisterReply(bytes);
    Require(reply.ok() && *reply && (*reply)->is_wide == (node.highest_version >= 6));
    Require((*reply)->is_accepted == (next == EpmdAnswer::Next::kKeep));
    if (!(*reply)->is_accepted) return;
    Require(IsEpmdName(node.name) && node.extra.size() <= EpmdNode::kMaxExtraBytes);
    Require(((*reply)->creation > kNarrowCreations) == (*reply)->is_wide);
    uint32_t& last = creations_[node.name];
    Require(last != (*reply)->creation);
    last = (*reply)->creation;
    client.is_node = true;
    Require(nodes_.emplace(node.name, Known{node, client.id}).second);
  }

  void Stopped(EpmdClientId id) {
    Erase(id);
    for (std::optional<Client>& client : clients_) {
      if (client && client->id == id) client.reset();
    }
  }

  void Erase(EpmdClientId id) {
    std::erase_if(nodes_, [id](const auto& entry) { return entry.second.client == id; });
  }

  const bool relaxed_;
  EpmdTable table_;
  EpmdClientId last_id_ = 0;
  std::array<std::optional<Client>, kSlots> clients_;
  std::map<std::string, Known> nodes_;
  std::map<std::string, uint32_t> creations_;  // the last one that a name got
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader in(ByteView(data, size));
  Epmd epmd((in.U8() & 1) != 0);
  while (in.remaining() >= 2) {
    const uint8_t head = in.U8();
    const size_t count = in.U8();
    const ByteView rest = in.Bytes(std::min(count, in.remaining()));
    const size_t slot = head % kSlots;
    const bool is_local = (head & 0x08) != 0;
    switch (head >> 4 & 3) {
      case 0:
        if (!epmd.Send(slot, is_local, rest)) return 0;
        break;
      case 1: {
        std::vector<uint8_t> request = {0, static_cast<uint8_t>(rest.size())};
        request.insert(request.end(), rest.begin(), rest.end());
        if (!epmd.Send(slot, is_local, request)) return 0;
        break;
      }
      case 2:
        epmd.Leave(slot);
        break;
      default:
        break;
    }
    epmd.CheckAll();
  }
  return 0;
}
