// From configuration to the things a Node is started with: options, and the table of carriers. The
// files that the configuration names are read here.
//
//   ASSIGN_OR_RETURN(auto assembly, Assemble(config));
//   for (const dist::Warning& warning : assembly->carrier->Warnings()) ...   // tell them once
//   ASSIGN_OR_RETURN(auto node, Node::Start(assembly->options, assembly->carrier));
//
// The assembly outlives the node. Blocks on the disk. Errors: InvalidArgument, which names flag or
// option, file and mend.
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "dist/carrier/carrier.h"
#include "node/config.h"
#include "node/options.h"

namespace noded::node {

struct Assembly {
  NodeOptions options;
  dist::CarrierTable carriers;
  dist::Carrier* carrier = nullptr;  // the chosen one of the table
};

absl::StatusOr<std::unique_ptr<Assembly>> Assemble(const NodeConfig& config);

}  // namespace noded::node
