// The encrypted carriers: inet_tls and inet6_tls. Both ends prove who they are as their options
// say; the cookie is checked above, as on every carrier.
//
//   ASSIGN_OR_RETURN(auto server,
//                    tls::ContextSource::Create(options.server, tls::Role::kServer, report));
//   ASSIGN_OR_RETURN(auto client,
//                    tls::ContextSource::Create(options.client, tls::Role::kClient, report));
//   carriers.Add(MakeTlsCarrier(/*is_v6=*/false, server, client));
//
// The connecting side sends and checks the host part of the node's name. Errors as
// dist/carrier/carrier.h says; those of TLS have the alert's name as reason.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dist/carrier/carrier.h"
#include "tls/context_source.h"

namespace noded::dist {

// New connections follow the files of their options; old ones live on. `server` may be null when
// nobody is accepted, `client` when nobody is connected to: the side that is missing then answers
// FailedPrecondition. `verify_client`: peers that connect must pass dist/carrier/tls_peer_check.h,
// with these hosts allowed.
std::unique_ptr<Carrier> MakeTlsCarrier(
    bool is_v6, std::shared_ptr<tls::ContextSource> server,
    std::shared_ptr<tls::ContextSource> client,
    std::optional<std::vector<std::string>> verify_client = std::nullopt);
// The same with contexts that never change.
std::unique_ptr<Carrier> MakeTlsCarrier(bool is_v6, std::shared_ptr<const tls::Context> server,
                                        std::shared_ptr<const tls::Context> client);

}  // namespace noded::dist
