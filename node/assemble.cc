#include "node/assemble.h"

#include "base/status.h"
#include "dist/carrier/tcp.h"
#include "dist/carrier/tls.h"
#include "dist/cookie_file.h"
#include "tls/context.h"

namespace noded::node {
namespace {

absl::StatusOr<std::shared_ptr<const dist::CookieJar>> MakeCookies(const CookieConfig& config) {
  dist::Cookie common;
  if (config.common) {
    common = *config.common;
  } else {
    ASSIGN_OR_RETURN(common, dist::LoadCookieFile(config.places));
  }
  dist::CookieJar jar(std::move(common));
  for (const auto& [node, cookie] : config.by_node) jar.SetFor(node, cookie);
  return std::make_shared<const dist::CookieJar>(std::move(jar));
}

// Certificates are read only where the chosen carrier needs them.
absl::Status AddTlsCarriers(const NodeConfig& config, dist::CarrierTable& carriers) {
  std::shared_ptr<const tls::Context> server, client;
  if (config.has_tls_carrier()) {
    ASSIGN_OR_RETURN(client, tls::Context::Create(config.tls.client, tls::Role::kClient));
    if (config.listen.is_on) {
      ASSIGN_OR_RETURN(server, tls::Context::Create(config.tls.server, tls::Role::kServer));
    }
  }
  carriers.Add(dist::MakeTlsCarrier(/*is_v6=*/false, server, client));
  carriers.Add(dist::MakeTlsCarrier(/*is_v6=*/true, server, client));
  return absl::OkStatus();
}

ConnectPolicy PolicyOf(AutoConnect auto_connect) {
  switch (auto_connect) {
    case AutoConnect::kOnce:
      return ConnectPolicy::kOnce;
    case AutoConnect::kNever:
      return ConnectPolicy::kNever;
    case AutoConnect::kTrue:
      break;
  }
  return ConnectPolicy::kAlways;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Assembly>> Assemble(const NodeConfig& config) {
  auto assembly = std::make_unique<Assembly>();
  assembly->carriers.Add(dist::MakeTcpCarrier(/*is_v6=*/false));
  assembly->carriers.Add(dist::MakeTcpCarrier(/*is_v6=*/true));
  RETURN_IF_ERROR(AddTlsCarriers(config, assembly->carriers));
  ASSIGN_OR_RETURN(assembly->carrier, assembly->carriers.Find(config.carrier));

  NodeOptions& options = assembly->options;
  options.name = config.name;
  ASSIGN_OR_RETURN(options.cookies, MakeCookies(config.cookie));
  options.is_hidden = config.is_hidden;
  options.does_listen = config.listen.is_on;
  options.listen = {config.listen.interface_address, config.listen.port_min,
                    config.listen.port_max};
  options.epmd.port = config.epmd.port;
  options.epmd.is_used = config.epmd.is_used;
  options.epmd.may_start = config.epmd.start;
  options.epmd.addresses = config.epmd.addresses;
  options.epmd.fixed_port = config.epmd.fixed_port.value_or(0);
  options.auto_connect = PolicyOf(config.dist_auto_connect);
  options.net_ticktime = config.time.net_ticktime;
  options.tick_intensity = config.time.net_tickintensity;
  options.limits.handshake_timeout = config.time.net_setuptime;
  return assembly;
}

}  // namespace noded::node
