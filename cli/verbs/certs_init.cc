#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "fmt/ostream.h"

#include "base/status.h"
#include "cli/verbs/certs.h"
#include "cli/verbs/file.h"
#include "node/names.h"
#include "tls/describe.h"
#include "tls/issue.h"

namespace noded::cli {
namespace {

using tls::CertificateRequest;
using tls::CertificateTime;
using tls::IssuedCertificate;

constexpr std::chrono::days kAuthorityDays{3652}, kNodeDays{730};
constexpr size_t kMaxCommonName = 64;  // RFC 5280
constexpr mode_t kSecret = 0600, kOpen = 0644;

CertificateTime Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// As certificate_info.h writes times, so that two compare as texts.
std::string TimeText(CertificateTime time) {
  return fmt::format("{:%F %T} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

absl::Status Refuse(const std::string& what, const std::string& mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "badarg");
}

// The name becomes part of file names and of an option file, the host one of a certificate.
absl::StatusOr<std::string> HostOf(const std::string& node) {
  ASSIGN_OR_RETURN(const node::SplitName split, node::SplitNodeName(node));
  const bool is_plain = std::all_of(split.host.begin(), split.host.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '/' && c != '\\' && c != '"';
  });
  if (is_plain) return std::string(split.host);
  return Refuse(fmt::format("node '{}': no certificate can be made for its host", node),
                "give an ASCII host name (an international one in its xn-- form) or an address");
}

struct Paths {
  Paths(const std::filesystem::path& folder, const std::string& name)
      : cert(folder / (name + ".pem")), key(folder / (name + "-key.pem")) {}
  std::string cert, key;
};

// Whether a certificate and its key are there; one without the other is an error.
absl::StatusOr<bool> AreThere(const Paths& paths) {
  const bool has_cert = FileExists(paths.cert), has_key = FileExists(paths.key);
  if (has_cert == has_key) return has_cert;
  return Refuse(fmt::format("{} is there, but {} is not", has_cert ? paths.cert : paths.key,
                            has_cert ? paths.key : paths.cert),
                "restore the missing one, or move the other away to have a new pair");
}

absl::Status Save(const Paths& paths, const IssuedCertificate& issued) {
  RETURN_IF_ERROR(WriteNewFile(paths.key, issued.key_pem.view(), kSecret));
  return WriteNewFile(paths.cert, issued.cert_pem, kOpen);
}

constexpr char kAnew[] = "move it and its key away to have a new pair";

// A pair that is there already and is to be used on.
absl::StatusOr<tls::CertificateInfo> TakePair(const Paths& paths, CertificateTime now,
                                              IssuedCertificate& pair) {
  ASSIGN_OR_RETURN(pair.cert_pem, ReadWholeFile(paths.cert));
  ASSIGN_OR_RETURN(std::string key, ReadWholeFile(paths.key));
  pair.key_pem = base::Secret(key);
  std::string both = pair.cert_pem + "\n" + key;
  auto all = tls::DescribeCertificates(base::AsBytes(both));
  base::Wipe(key.data(), key.size());
  base::Wipe(both.data(), both.size());
  if (!all.ok()) return base::Annotate(all.status(), paths.cert);
  if (all->front().key_match == tls::KeyMatch::kDiffers) {
    return Refuse(fmt::format("{}: is not the key of {}", paths.key, paths.cert), kAnew);
  }
  const tls::CertificateInfo& info = all->front().info;
  if (info.not_after < TimeText(now)) {
    return Refuse(fmt::format("{}: expired at {}", paths.cert, info.not_after), kAnew);
  }
  return info;
}

absl::StatusOr<IssuedCertificate> TakeAuthority(const Paths& paths, CertificateTime now,
                                                std::ostream& out) {
  ASSIGN_OR_RETURN(const bool is_there, AreThere(paths));
  if (!is_there) {
    ASSIGN_OR_RETURN(IssuedCertificate made,
                     tls::IssueAuthority({.common_name = "noded development CA",
                                          .validity = tls::ValidFor(kAuthorityDays, now)}));
    RETURN_IF_ERROR(Save(paths, made));
    fmt::print(out, "made {} and its key: the authority, valid until {}\n", paths.cert,
               TimeText(now + kAuthorityDays));
    return made;
  }
  IssuedCertificate authority;
  ASSIGN_OR_RETURN(const tls::CertificateInfo info, TakePair(paths, now, authority));
  fmt::print(out, "kept {} and its key: the authority, valid until {}\n", paths.cert,
             info.not_after);
  return authority;
}

// A string of Erlang's syntax.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string OptionFile(const std::string& node, const std::string& path, const Paths& own,
                       const Paths& authority) {
  const std::string both = fmt::format(
      "{{certfile, {}}},\n"
      "    {{keyfile, {}}},\n"
      "    {{cacertfile, {}}},\n"
      "    {{verify, verify_peer}}",
      Quoted(own.cert), Quoted(own.key), Quoted(authority.cert));
  return fmt::format(
      "%% TLS for the distribution of {0}: peers on both sides show a certificate of one "
      "authority.\n"
      "%%   {3} {0} -proto_dist inet_tls -ssl_dist_optfile {1}\n"
      "[{{server, [\n"
      "    {2},\n"
      "    {{fail_if_no_peer_cert, true}}]}},\n"
      " {{client, [\n"
      "    {2}]}}].\n",
      node, path, both, node::NameFlag(node::KindOfHost(node.substr(node.find('@') + 1))));
}

absl::Status MakeNode(const std::string& node, const std::filesystem::path& folder,
                      const Paths& authority_paths, const IssuedCertificate& authority,
                      CertificateTime now, std::ostream& out) {
  const Paths paths(folder, node);
  ASSIGN_OR_RETURN(const bool is_there, AreThere(paths));
  if (is_there) {
    IssuedCertificate pair;
    ASSIGN_OR_RETURN(const tls::CertificateInfo info, TakePair(paths, now, pair));
    if (!tls::CheckIssuedBy(authority.cert_pem, pair.cert_pem).ok()) {
      return Refuse(
          fmt::format("{}: is not signed by the authority {}", paths.cert, authority_paths.cert),
          kAnew);
    }
    fmt::print(out, "kept {} and its key: valid until {}\n", paths.cert, info.not_after);
  } else {
    CertificateRequest request{.common_name = node.substr(0, kMaxCommonName),
                               .validity = tls::ValidFor(kNodeDays, now)};
    ASSIGN_OR_RETURN(const std::string host, HostOf(node));
    tls::AddHost(request, host);
    auto issued = tls::IssueNode(authority, request);
    if (!issued.ok()) return base::Annotate(issued.status(), fmt::format("node {}", node));
    RETURN_IF_ERROR(Save(paths, *issued));
    fmt::print(out, "made {} and its key: valid until {}\n", paths.cert,
               TimeText(request.validity.not_after));
  }
  const std::string options = folder / fmt::format("ssl_dist.{}.conf", node);
  if (FileExists(options)) {
    fmt::print(out, "kept {}\n", options);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(WriteNewFile(options, OptionFile(node, options, paths, authority_paths), kOpen));
  fmt::print(out, "made {}: for -proto_dist inet_tls -ssl_dist_optfile {}\n", options, options);
  return absl::OkStatus();
}

}  // namespace

absl::Status CertsInit(const std::string& folder, const std::vector<std::string>& nodes,
                       std::ostream& out) {
  for (const std::string& node : nodes) RETURN_IF_ERROR(HostOf(node).status());
  std::error_code error;
  const std::filesystem::path absolute =
      std::filesystem::absolute(folder, error).lexically_normal();
  if (folder.empty() || error) return Refuse("no folder given", "name one");
  std::filesystem::create_directories(absolute, error);
  if (error) {
    return base::Error(absl::StatusCode::kPermissionDenied,
                       fmt::format("cannot make the folder {}: {}", absolute.string(),
                                   base::ErrnoText(error.value())),
                       "give a folder in which this user may write",
                       base::ErrnoAtom(error.value()));
  }
  const CertificateTime now = Now();
  const Paths authority_paths(absolute, "ca");
  ASSIGN_OR_RETURN(const IssuedCertificate authority, TakeAuthority(authority_paths, now, out));
  const std::set<std::string> once(nodes.begin(), nodes.end());
  for (const std::string& node : once) {
    RETURN_IF_ERROR(MakeNode(node, absolute, authority_paths, authority, now, out));
  }
  return absl::OkStatus();
}

}  // namespace noded::cli
