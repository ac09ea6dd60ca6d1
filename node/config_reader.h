// What the parts of BuildConfig share: values of flags looked up by each flag's rule, and errors
// that name flag and origin. Private to config.h.
//
//   ConfigReader reader(flags, config);
//   ASSIGN_OR_RETURN(const RawFlag* flag, reader.Single("proto_dist"));   // null: not given
//   ASSIGN_OR_RETURN(bool is_on, reader.Bool(*flag));
//
// Lives on the stack of BuildConfig.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "node/config.h"
#include "node/flags.h"

namespace noded::node {

class ConfigReader {
 public:
  ConfigReader(const RawFlags& flags, NodeConfig& config) : flags_(flags), config_(config) {}

  const RawFlags& flags() const { return flags_; }
  NodeConfig& config() { return config_; }

  // Null when the flag is not given; of several, the first, with a notice when they differ.
  const RawFlag* First(std::string_view name);
  // Null when the flag is not given; several that differ are an error: OTP then takes none.
  absl::StatusOr<const RawFlag*> Single(std::string_view name);

  absl::StatusOr<bool> Bool(const RawFlag& flag);
  absl::StatusOr<uint16_t> Port(const RawFlag& flag);

  std::string_view Variable(std::string_view name) const;  // empty: not set
  bool HasVariable(std::string_view name) const;           // set, perhaps to nothing

  void SetOrigin(std::string_view setting, const Origin& origin);
  void Note(std::string what, std::string mend);

 private:
  const RawFlags& flags_;
  NodeConfig& config_;
};

// "-name (ERL_FLAGS)".
std::string FlagText(const RawFlag& flag);
absl::Status RefuseFlag(const RawFlag& flag, std::string_view what, std::string_view mend);
absl::StatusOr<uint16_t> ParsePort(std::string_view text, std::string_view where);

// -kernel KEY VALUE ... and -ssl KEY VALUE ... .
absl::Status ReadKernelParameters(ConfigReader& reader);
absl::Status ReadSslParameters(ConfigReader& reader);

}  // namespace noded::node
