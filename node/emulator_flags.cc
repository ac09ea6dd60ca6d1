// Which flags of the BEAM emulator take a value: needed only to step over them.
#include <algorithm>
#include <array>

#include "node/flag_words.h"

namespace noded::node {
namespace {

template <size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

// +M<allocator><switch> and +M<switch>.
constexpr std::string_view kAllocators = "uBIDEFHLRSTXZ";
constexpr std::array<std::string_view, 22> kAllocatorSwitches = {
    "as",   "asbcst", "atags",  "acul",   "acnl",  "acfml", "cp",    "e",
    "t",    "lmbcs",  "mbcgs",  "mbsd",   "mmbcs", "mmmbc", "mmsbc", "msbclt",
    "ramv", "rmbcmt", "rsbcmt", "rsbcst", "sbct",  "smbcs"};
constexpr std::array<std::string_view, 21> kMemorySwitches = {
    "ea",   "ummc",    "uycs", "usac",   "im", "is", "it",  "lpm", "Mamcbf", "Mrmcbf", "Mmcs",
    "Mscs", "Mscrfsd", "Msco", "Mscrpm", "Ye", "Ym", "Ytp", "Ytt", "Iscs",   "Xscs"};
constexpr std::array<std::string_view, 19> kScheduling = {
    "bt",     "bwtdcpu", "bwtdio", "bwt", "cl", "ct",     "ecio",  "fwi", "tbt", "wct",
    "wtdcpu", "wtdio",   "wt",     "ws",  "ss", "ssdcpu", "ssdio", "pp",  "ub"};
constexpr std::array<std::string_view, 8> kHeap = {"ms",   "mbs",   "pds", "max",
                                                   "maxk", "maxel", "mqd", ""};
constexpr std::array<std::string_view, 6> kJit = {"Pperf",      "Msingle", "Pdump",
                                                  "Pdirectory", "Mdump",   "Pfp"};
constexpr std::array<std::string_view, 4> kMisc = {"dbbl", "dntgc", "ebwt", "osrl"};
constexpr std::array<std::string_view, 23> kWithValue = {
    "a", "A",   "C",   "e",    "i",    "n", "P",  "Q",     "t",      "T",    "R", "W",
    "K", "IOt", "IOp", "IOPt", "IOPp", "S", "SP", "SDcpu", "SDPcpu", "SDio", "pc"};

}  // namespace

bool EmulatorFlagTakes(std::string_view word, const std::string* next) {
  // "--" ends a source: a value never comes from the next one.
  if (next == nullptr || *next == "--" || word.size() < 2) return false;
  const std::string_view flag = word.substr(1), rest = word.substr(2);
  const bool next_is_flag = !next->empty() && ((*next)[0] == '-' || (*next)[0] == '+');
  if (IsOneOf(flag, kWithValue)) return true;
  switch (flag[0]) {
    case 'B':
      return rest.empty() && !next_is_flag && !next->empty() && (*next)[0] == 'i';
    case 'c':
      return rest.empty() && (*next == "true" || *next == "false");
    case 'M':
      return !next_is_flag &&
             (IsOneOf(rest, kMemorySwitches) ||
              (!rest.empty() && kAllocators.find(rest[0]) != std::string_view::npos &&
               IsOneOf(rest.substr(1), kAllocatorSwitches)));
    case 's':
      return !next_is_flag && IsOneOf(rest, kScheduling);
    case 'h':
      return !next_is_flag && IsOneOf(rest, kHeap);
    case 'J':
      return !next_is_flag && IsOneOf(rest, kJit);
    case 'r':
      return !next_is_flag && rest == "g";
    case 'z':
      return !next_is_flag && IsOneOf(rest, kMisc);
    default:
      return false;
  }
}

}  // namespace noded::node
