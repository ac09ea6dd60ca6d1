// The capability flags (DFLAG) that two nodes exchange in their handshake.
//
//   uint64_t mine = LocalFlags(/*is_published=*/true);
//   ASSIGN_OR_RETURN(uint64_t flags, Negotiate(mine, peers));   // error: names what the peer lacks
//   if (flags & dflag::kFragments) ...
//
// Functions without state: any thread. Source: erts/emulator/beam/dist.h, which differs from the
// "Distribution Flags" of the OTP documentation where that errs (MANDATORY_25_DIGEST).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace noded::dist {

namespace dflag {
inline constexpr uint64_t kPublished = 0x1;
inline constexpr uint64_t kAtomCache = 0x2;
inline constexpr uint64_t kExtendedReferences = 0x4;
inline constexpr uint64_t kDistMonitor = 0x8;
inline constexpr uint64_t kFunTags = 0x10;
inline constexpr uint64_t kDistMonitorName = 0x20;
inline constexpr uint64_t kHiddenAtomCache = 0x40;
inline constexpr uint64_t kNewFunTags = 0x80;
inline constexpr uint64_t kExtendedPidsPorts = 0x100;
inline constexpr uint64_t kExportPtrTag = 0x200;
inline constexpr uint64_t kBitBinaries = 0x400;
inline constexpr uint64_t kNewFloats = 0x800;
inline constexpr uint64_t kUnicodeIo = 0x1000;
inline constexpr uint64_t kDistHdrAtomCache = 0x2000;
inline constexpr uint64_t kSmallAtomTags = 0x4000;
inline constexpr uint64_t kUtf8Atoms = 0x10000;
inline constexpr uint64_t kMapTag = 0x20000;
inline constexpr uint64_t kBigCreation = 0x40000;
inline constexpr uint64_t kSendSender = 0x80000;
inline constexpr uint64_t kBigSeqtraceLabels = 0x100000;
inline constexpr uint64_t kExitPayload = 0x400000;
inline constexpr uint64_t kFragments = 0x800000;
inline constexpr uint64_t kHandshake23 = 0x1000000;
inline constexpr uint64_t kUnlinkId = 0x2000000;
inline constexpr uint64_t kMandatory25Digest = 0x4000000;  // stands for all of kMandatory25
inline constexpr uint64_t kSpawn = uint64_t{0x1} << 32;
inline constexpr uint64_t kNameMe = uint64_t{0x2} << 32;  // a request, no capability
inline constexpr uint64_t kV4Nc = uint64_t{0x4} << 32;
inline constexpr uint64_t kAlias = uint64_t{0x8} << 32;
inline constexpr uint64_t kAltactSig = uint64_t{0x20} << 32;

// Without these OTP 25 refuses a peer, and so do we.
inline constexpr uint64_t kMandatory25 = kExtendedReferences | kFunTags | kExtendedPidsPorts |
                                         kUtf8Atoms | kNewFunTags | kBigCreation | kNewFloats |
                                         kMapTag | kExportPtrTag | kBitBinaries | kHandshake23;
// What OTP 26 and later demand of us.
inline constexpr uint64_t kMandatory26 = kMandatory25 | kV4Nc | kUnlinkId;
}  // namespace dflag

// All that this node handles, and nothing more. A hidden node is not published.
uint64_t LocalFlags(bool is_published);

// `flags` with those that MANDATORY_25_DIGEST stands for.
uint64_t ExpandFlags(uint64_t flags);

// What both sides can. PermissionDenied (reason check_dflags_failed) when the peer lacks a
// mandatory flag.
absl::StatusOr<uint64_t> Negotiate(uint64_t local, uint64_t peer);

// The names in OTP's spelling without DFLAG_, in the order of the bits, separated by ", "; an
// unknown bit as 0x...
std::string FlagNames(uint64_t flags);

}  // namespace noded::dist
