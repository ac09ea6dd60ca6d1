// From configuration to the things a Node is started with: options, and the table of carriers. The
// files that the configuration names are read here.
//
//   ASSIGN_OR_RETURN(auto assembly, Assemble(config));
//   for (const dist::Carrier* carrier : assembly->chosen) Tell(carrier->Warnings());      // once
//   ASSIGN_OR_RETURN(auto node, Node::Start(assembly->options, assembly->chosen));
//
// The assembly outlives the node. Blocks on the disk. Errors: InvalidArgument, which names flag or
// option, file and mend.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "dist/carrier/carrier.h"
#include "node/config.h"
#include "node/options.h"

namespace noded::node {

struct Assembly {
  NodeOptions options;
  dist::CarrierTable carriers;
  std::vector<dist::Carrier*> chosen;  // of the table, the preferred one first
};

absl::StatusOr<std::unique_ptr<Assembly>> Assemble(const NodeConfig& config);

}  // namespace noded::node
