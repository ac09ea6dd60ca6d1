#include "dist/epmd_table.h"

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
  if (std::holds_alternative<EpmdKill>(request)) {
    if (!options_.relaxed_command_check) return Reply("NO");
    EpmdAnswer answer = Reply("OK");
    answer.next = EpmdAnswer::Next::kStopServer;
    return answer;
  }
  return Stop(std::get<EpmdStop>(request).name);
}

EpmdAnswer EpmdTable::Register(const EpmdNode& node, const Asker& asker) {
  EpmdRegisterReply reply;
  reply.is_wide = node.highest_version >= kWideCreationVersion;
  reply.creation = kNoCreation;
  EpmdAnswer answer;
  if (IsEpmdName(node.name) && !nodes_.contains(node.name) && !IsNode(asker.client)) {
    // Every registration gets the next number: a node that comes back is never taken for the one
    // before it.
    ++creation_;
    if (reply.is_wide && creation_ <= kNarrowCreations) creation_ = kNarrowCreations + 1;
    reply.is_accepted = true;
    reply.creation = reply.is_wide ? creation_ : creation_ % kNarrowCreations + 1;
    nodes_.emplace(node.name, Entry{node, asker.client});
    names_.emplace(asker.client, node.name);
    answer.next = EpmdAnswer::Next::kKeep;
  }
  answer.reply = EncodeEpmdRegisterReply(reply);
  return answer;
}

EpmdAnswer EpmdTable::Stop(const std::string& name) {
  if (!options_.relaxed_command_check) return EpmdAnswer();
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return Reply("NOEXIST");
  EpmdAnswer answer = Reply("STOPPED");
  answer.next = EpmdAnswer::Next::kStopClient;
  answer.stopped = found->second.client;
  Forget(answer.stopped);
  return answer;
}

EpmdAnswer EpmdTable::Names() const {
  EpmdNamesReply reply;
  reply.epmd_port = options_.epmd_port;
  for (const auto& [name, entry] : nodes_) reply.names.push_back({name, entry.node.port});
  EpmdAnswer answer;
  answer.reply = EncodeEpmdNamesReply(reply);
  return answer;
}

EpmdAnswer EpmdTable::Dump() const {
  base::ByteWriter out;
  out.U32(options_.epmd_port);
  for (const auto& [name, entry] : nodes_) {
    out.Bytes(fmt::format("active name     <{}> at port {}, fd = {}\n", name, entry.node.port,
                          entry.client));
    out.U8(0);  // as epmd ends its lines
  }
  EpmdAnswer answer;
  answer.reply = out.Take();
  return answer;
}

void EpmdTable::Forget(EpmdClientId client) {
  const auto found = names_.find(client);
  if (found == names_.end()) return;
  nodes_.erase(found->second);
  names_.erase(found);
}

const EpmdNode* EpmdTable::Find(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second.node;
}

}  // namespace noded::dist
