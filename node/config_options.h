// From a configuration to what Node is started with: reads the cookie file where no cookie is
// given.
//
//   ASSIGN_OR_RETURN(NodeConfig config, BuildConfig(flags, inputs));       // config.h
//   ASSIGN_OR_RETURN(NodeOptions options, MakeNodeOptions(config));        // options.h
//
// What belongs to the carriers (config.Carriers(), config.tls) goes to the CarrierTable instead.
// Blocks on the file system: call it at start. Errors: those of LoadCookieFile
// (dist/cookie_file.h).
#pragma once

#include "absl/status/statusor.h"

#include "node/config.h"
#include "node/options.h"

namespace noded::node {

absl::StatusOr<NodeOptions> MakeNodeOptions(const NodeConfig& config);

}  // namespace noded::node
