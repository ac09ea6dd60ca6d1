#include "cli/verbs/tls_facts.h"

#include <vector>

#include "fmt/format.h"

#include "cli/verbs/certificate_text.h"
#include "tls/describe.h"

namespace noded::cli {
namespace {

using base::TlsFacts;

// The peer's own certificate first. What cannot be described is left out: it was no use either.
std::vector<tls::CertificateDescription> Chain(const TlsFacts& facts) {
  std::vector<tls::CertificateDescription> chain;
  for (const base::Slice& der : facts.peer_chain_der) {
    auto described = tls::DescribeCertificates(der);
    if (described.ok() && !described->empty()) chain.push_back(std::move(described->front()));
  }
  return chain;
}

const char* Verification(const TlsFacts& facts) {
  if (facts.is_peer_verified) return "verified";
  return facts.peer_subject.empty() && facts.peer_chain_der.empty() ? "no certificate"
                                                                    : "not verified";
}

}  // namespace

std::string FactsLine(const base::PeerIdentity& peer) {
  const TlsFacts& facts = *peer.tls;
  std::string line =
      fmt::format("{} {} {}", base::AddressText(peer), facts.version, facts.cipher_suite);
  if (!facts.group.empty()) line += " " + facts.group;
  if (!facts.sni.empty()) line += " sni=" + facts.sni;
  if (!facts.alpn.empty()) line += " alpn=" + facts.alpn;
  if (facts.is_resumed) line += " resumed";
  line += facts.peer_subject.empty()
              ? fmt::format(" peer: {}", Verification(facts))
              : fmt::format(" peer: {} ({})", facts.peer_subject, Verification(facts));
  return line;
}

std::string FactsText(const base::PeerIdentity& peer) {
  const TlsFacts& facts = *peer.tls;
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("{:<12} {}\n", name, value.empty() ? "none" : value);
  };
  line("peer", base::AddressText(peer));
  line("protocol", facts.version);
  line("suite", facts.cipher_suite);
  line("group", facts.group);
  line("alpn", facts.alpn);
  line("server name", facts.sni);
  line("session", facts.is_resumed ? "resumed" : "new");
  line("verification", Verification(facts));
  return text + CertificatesText(Chain(facts), /*has_keys=*/false);
}

nlohmann::ordered_json FactsJson(const base::PeerIdentity& peer) {
  const TlsFacts& facts = *peer.tls;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
  };
  return {
      {"peer", base::AddressText(peer)},
      {"protocol", facts.version},
      {"cipher_suite", facts.cipher_suite},
      {"group", text_or_null(facts.group)},
      {"alpn", text_or_null(facts.alpn)},
      {"server_name", text_or_null(facts.sni)},
      {"is_resumed", facts.is_resumed},
      {"is_verified", facts.is_peer_verified},
      {"chain", CertificatesJson(Chain(facts), /*has_keys=*/false)},
  };
}

}  // namespace noded::cli
