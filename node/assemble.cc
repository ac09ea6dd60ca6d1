#include "node/assemble.h"

#include "base/log.h"
#include "base/status.h"
#include "dist/carrier/tcp.h"
#include "dist/carrier/tls.h"
#include "node/config_options.h"
#include "tls/context_source.h"

namespace noded::node {
namespace {

// A certificate that is replaced by a broken one does not stop the node: it keeps the last good
// one.
void ReportBrokenFiles(const absl::Status& status) {
  base::LogError("tls_files_broken").Add(status);
}

// Certificates are read only where a chosen carrier needs them.
absl::Status AddTlsCarriers(const NodeConfig& config, dist::CarrierTable& carriers) {
  std::shared_ptr<tls::ContextSource> server, client;
  if (config.has_tls_carrier()) {
    if (config.tls.pem_cache_clean) {
      tls::PemCache::Shared().SetInterval(*config.tls.pem_cache_clean);
    }
    ASSIGN_OR_RETURN(client, tls::ContextSource::Create(config.tls.client, tls::Role::kClient,
                                                        ReportBrokenFiles));
    if (config.listen.is_on) {
      ASSIGN_OR_RETURN(server, tls::ContextSource::Create(config.tls.server, tls::Role::kServer,
                                                          ReportBrokenFiles));
    }
  }
  carriers.Add(dist::MakeTlsCarrier(/*is_v6=*/false, server, client, config.tls.verify_client));
  carriers.Add(dist::MakeTlsCarrier(/*is_v6=*/true, server, client, config.tls.verify_client));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Assembly>> Assemble(const NodeConfig& config) {
  auto assembly = std::make_unique<Assembly>();
  assembly->carriers.Add(dist::MakeTcpCarrier(/*is_v6=*/false));
  assembly->carriers.Add(dist::MakeTcpCarrier(/*is_v6=*/true));
  RETURN_IF_ERROR(AddTlsCarriers(config, assembly->carriers));
  for (const std::string& name : config.Carriers()) {
    ASSIGN_OR_RETURN(dist::Carrier * carrier, assembly->carriers.Find(name));
    assembly->chosen.push_back(carrier);
  }

  ASSIGN_OR_RETURN(assembly->options, MakeNodeOptions(config));
  return assembly;
}

}  // namespace noded::node
