#include "dist/epmd_table.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "fmt/format.h"

#include "base/byte_writer.h"

namespace noded::dist {
namespace {

// Nodes of protocol version 5 know creations 1..3 only; those of version 6 take any other number,
// so that the two kinds cannot be mixed up.
constexpr uint32_t kNarrowCreations = 3;
constexpr uint16_t kWideCreationVersion = 6;
// What epmd puts where a refused node would have a creation.
constexpr uint32_t kNoCreation = 99;

uint32_t Narrow(uint32_t creation) { return creation % kNarrowCreations + 1; }

EpmdAnswer Reply(std::string_view text) {
  EpmdAnswer answer;
  answer.reply.Append(text);
  return answer;
}

}  // namespace

EpmdTable::EpmdTable(const Options& options)
    : options_(options), creation_(options.first_creation) {}

EpmdAnswer EpmdTable::Answer(const EpmdRequest& request, const Asker& asker) {
  if (const auto* look_up = std::get_if<EpmdLookUp>(&request)) {
    if (!IsEpmdName(look_up->name)) return EpmdAnswer();
    EpmdLookUpReply reply;
    if (const EpmdNode* node = Find(look_up->name)) reply.node = *node;
    EpmdAnswer answer;
    answer.reply = EncodeEpmdLookUpReply(reply);
    return answer;
  }
  if (std::holds_alternative<EpmdNames>(request)) return Names();

  // The rest is for this machine only; others get no answer.
  if (!asker.is_local) return EpmdAnswer();
  if (const auto* node = std::get_if<EpmdRegister>(&request)) return Register(node->node, asker);
  if (std::holds_alternative<EpmdDump>(request)) return Dump();
  if (std::holds_alternative<EpmdKill>(request)) return Kill();
  return Stop(std::get<EpmdStop>(request).name);
}

EpmdAnswer EpmdTable::Register(const EpmdNode& node, const Asker& asker) {
  EpmdRegisterReply reply;
  reply.is_wide = node.highest_version >= kWideCreationVersion;
  reply.creation = kNoCreation;
  EpmdAnswer answer;
  if (IsEpmdName(node.name) && node.extra.size() <= EpmdNode::kMaxExtraBytes &&
      !by_name_.contains(node.name) && !IsNode(asker.client)) {
    reply.is_accepted = true;
    reply.creation = NextCreation(reply.is_wide, TakeOldCreation(node.name));
    nodes_.push_front({node, asker.client, reply.creation});
    by_name_.emplace(node.name, nodes_.begin());
    by_client_.emplace(asker.client, nodes_.begin());
    answer.next = EpmdAnswer::Next::kKeep;
  }
  answer.reply = EncodeEpmdRegisterReply(reply);
  return answer;
}

// Every registration gets the next number: a node that comes back is never taken for the one before
// it. Of the narrow ones there are three only, so that `last`, its last one, is passed over.
uint32_t EpmdTable::NextCreation(bool is_wide, uint32_t last) {
  do {
    ++creation_;
    if (creation_ <= kNarrowCreations) creation_ = kNarrowCreations + 1;
  } while (!is_wide && Narrow(creation_) == last);
  return is_wide ? creation_ : Narrow(creation_);
}

// The creation that a node of this name had when it went, 0 when none is known.
uint32_t EpmdTable::TakeOldCreation(const std::string& name) {
  const auto found = std::find_if(old_.begin(), old_.end(),
                                  [&](const Entry& entry) { return entry.node.name == name; });
  if (found == old_.end()) return 0;
  const uint32_t creation = found->creation;
  old_.erase(found);
  return creation;
}

EpmdAnswer EpmdTable::Kill() const {
  if (!options_.relaxed_command_check && !nodes_.empty()) return Reply("NO");
  EpmdAnswer answer = Reply("OK");
  answer.next = EpmdAnswer::Next::kStopServer;
  return answer;
}

EpmdAnswer EpmdTable::Stop(const std::string& name) {
  if (!options_.relaxed_command_check) return EpmdAnswer();
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return Reply("NOEXIST");
  EpmdAnswer answer = Reply("STOPPED");
  answer.next = EpmdAnswer::Next::kStopClient;
  answer.stopped = found->second->client;
  Forget(answer.stopped);
  return answer;
}

EpmdAnswer EpmdTable::Names() const {
  EpmdNamesReply reply;
  reply.epmd_port = options_.epmd_port;
  for (const Entry& entry : nodes_) reply.names.push_back({entry.node.name, entry.node.port});
  EpmdAnswer answer;
  answer.reply = EncodeEpmdNamesReply(reply);
  return answer;
}

EpmdAnswer EpmdTable::Dump() const {
  base::ByteWriter out;
  out.U32(options_.epmd_port);
  // A zero behind each line, and the blanks, as epmd has them.
  for (const Entry& entry : nodes_) {
    out.Bytes(fmt::format("active name     <{}> at port {}, fd = {}\n", entry.node.name,
                          entry.node.port, entry.client));
    out.U8(0);
  }
  for (const Entry& entry : old_) {
    out.Bytes(fmt::format("old/unused name <{}>, port = {}, fd = {} \n", entry.node.name,
                          entry.node.port, entry.client));
    out.U8(0);
  }
  EpmdAnswer answer;
  answer.reply = out.Take();
  return answer;
}

void EpmdTable::Forget(EpmdClientId client) {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  const Entries::iterator entry = found->second;
  by_client_.erase(found);
  by_name_.erase(entry->node.name);
  entry->node.extra.clear();
  old_.splice(old_.end(), nodes_, entry);
  if (old_.size() > options_.max_old_names) old_.pop_front();
}

const EpmdNode* EpmdTable::Find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second->node;
}

}  // namespace noded::dist
