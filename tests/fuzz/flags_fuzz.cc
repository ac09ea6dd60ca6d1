// Flags, configuration and TLS options from any bytes: no crash, no more words than the bound, and
// every refusal says something. The input is text in parts, set apart by zero bytes: words of the
// command line up to an empty one, then NODED_FLAGS, then a file of arguments that may name itself,
// then an option file.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "node/config.h"

namespace {

using namespace noded::node;

void Require(bool claim) {
  if (!claim) std::abort();
}

std::string_view Take(std::string_view& rest) {
  const size_t end = rest.find('\0');
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  return part;
}

void Check(const FlagSources& sources, Grammar grammar) {
  const auto flags = ParseFlags(sources, grammar);
  if (!flags.ok()) return Require(!flags.status().message().empty());
  Require(flags->flags.size() + flags->plain.size() <= kMaxFlagWords + 8);
  ConfigInputs inputs;
  inputs.hosts = {[] { return std::string("box"); }, nullptr};
  inputs.read_file = sources.read_file;
  inputs.is_client = grammar == Grammar::kVerbs;
  const auto config = BuildConfig(*flags, inputs);
  if (!config.ok()) return Require(!config.status().message().empty());
  Require(SplitNodeName(config->name).ok());
  Require(config->listen.port_min <= config->listen.port_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Long inputs only repeat what short ones do.
  if (size > 4096) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  FlagSources sources;
  for (std::string_view word = Take(rest); !word.empty(); word = Take(rest)) {
    sources.arguments.emplace_back(word);
  }
  sources.environment["NODED_FLAGS"] = std::string(Take(rest));
  const std::string arguments(Take(rest)), options(Take(rest));
  // A file that names itself several times would be read to the bound each time: allow few reads.
  int reads = 0;
  sources.read_file = [&](const std::string& path) -> absl::StatusOr<std::string> {
    if (++reads > 64) return absl::InvalidArgumentError("enough read");
    return path == "o" ? options : arguments;
  };
  Check(sources, Grammar::kErl);
  reads = 0;
  Check(sources, Grammar::kVerbs);
  return 0;
}
