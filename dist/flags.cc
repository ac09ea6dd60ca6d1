#include "dist/flags.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

using namespace dflag;

constexpr std::array<std::pair<uint64_t, std::string_view>, 30> kNames = {{
    {kPublished, "PUBLISHED"},
    {kAtomCache, "ATOM_CACHE"},
    {kExtendedReferences, "EXTENDED_REFERENCES"},
    {kDistMonitor, "DIST_MONITOR"},
    {kFunTags, "FUN_TAGS"},
    {kDistMonitorName, "DIST_MONITOR_NAME"},
    {kHiddenAtomCache, "HIDDEN_ATOM_CACHE"},
    {kNewFunTags, "NEW_FUN_TAGS"},
    {kExtendedPidsPorts, "EXTENDED_PIDS_PORTS"},
    {kExportPtrTag, "EXPORT_PTR_TAG"},
    {kBitBinaries, "BIT_BINARIES"},
    {kNewFloats, "NEW_FLOATS"},
    {kUnicodeIo, "UNICODE_IO"},
    {kDistHdrAtomCache, "DIST_HDR_ATOM_CACHE"},
    {kSmallAtomTags, "SMALL_ATOM_TAGS"},
    {kUtf8Atoms, "UTF8_ATOMS"},
    {kMapTag, "MAP_TAG"},
    {kBigCreation, "BIG_CREATION"},
    {kSendSender, "SEND_SENDER"},
    {kBigSeqtraceLabels, "BIG_SEQTRACE_LABELS"},
    {kExitPayload, "EXIT_PAYLOAD"},
    {kFragments, "FRAGMENTS"},
    {kHandshake23, "HANDSHAKE_23"},
    {kUnlinkId, "UNLINK_ID"},
    {kMandatory25Digest, "MANDATORY_25_DIGEST"},
    {kSpawn, "SPAWN"},
    {kNameMe, "NAME_ME"},
    {kV4Nc, "V4_NC"},
    {kAlias, "ALIAS"},
    {kAltactSig, "ALTACT_SIG"},
}};

std::string FlagName(uint64_t flag) {
  for (const auto& [bit, name] : kNames) {
    if (bit == flag) return std::string(name);
  }
  return fmt::format("{:#x}", flag);
}

}  // namespace

uint64_t LocalFlags(bool is_published) {
  return kMandatory26 | kMandatory25Digest | kDistMonitor | kDistMonitorName | kDistHdrAtomCache |
         kSmallAtomTags | kSendSender | kBigSeqtraceLabels | kExitPayload | kFragments | kSpawn |
         kAlias | kUnicodeIo | (is_published ? kPublished : 0);
}

uint64_t ExpandFlags(uint64_t flags) {
  return flags & kMandatory25Digest ? flags | kMandatory25 : flags;
}

absl::StatusOr<uint64_t> Negotiate(uint64_t local, uint64_t peer) {
  local = ExpandFlags(local);
  peer = ExpandFlags(peer);
  if (const uint64_t missing = kMandatory25 & ~peer; missing != 0) {
    return base::Error(absl::StatusCode::kPermissionDenied,
                       fmt::format("flags of the peer: {:#x} lacks {}, which every node since OTP "
                                   "25 must have",
                                   peer, FlagNames(missing)),
                       "run OTP 23 or later there, or a library that speaks its protocol",
                       "check_dflags_failed");
  }
  return local & peer & ~kNameMe;
}

std::string FlagNames(uint64_t flags) {
  std::string names;
  for (uint64_t rest = flags; rest != 0; rest &= rest - 1) {
    if (!names.empty()) names += ", ";
    names += FlagName(rest & (~rest + 1));
  }
  return names;
}

}  // namespace noded::dist
