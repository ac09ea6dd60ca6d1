#include "tls/resumption.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "fmt/format.h"
#include "mbedtls/sha256.h"

#include "base/status.h"
#include "tls/alert.h"
#include "tls/ciphers.h"
#include "tls/frozen.h"
#include "tls/libcrypto_x509.h"
#include "tls/mbedtls_inside.h"
#include "tls/mbedtls_resumption.h"
#include "tls/mbedtls_session.h"
#include "tls/session_binding.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

// A client's ticket goes into one ClientHello, which mbedTLS keeps to one record: half of that.
constexpr size_t kMaxTicketBytes = 8192;
// A server may send tickets without end; one connection keeps only so many.
constexpr int kMaxTicketsKept = 8;
constexpr auto kMaxLifetime = std::chrono::seconds(7 * 24 * 60 * 60);  // RFC 8446 4.6.1

SessionMilliseconds WallClock() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

base::Slice IdOf(base::ByteView ticket) {
  uint8_t digest[32] = {};
  mbedtls_sha256(ticket.data(), ticket.size(), digest, 0);
  return base::Slice::Copy(base::ByteView(digest));
}

base::ByteView TicketOf(const mbedtls_ssl_session& session) {
  return {session.MBEDTLS_PRIVATE(ticket), session.MBEDTLS_PRIVATE(ticket_len)};
}

// A certificate for as long as it is looked at.
class Parsed {
 public:
  explicit Parsed(base::ByteView der) {
    mbedtls_x509_crt_init(&certificate_);
    is_good_ = mbedtls_x509_crt_parse_der_nocopy(&certificate_, der.data(), der.size()) == 0;
  }
  ~Parsed() { mbedtls_x509_crt_free(&certificate_); }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  bool is_valid_now() const {
    return is_good_ && mbedtls_x509_time_is_past(&certificate_.valid_to) == 0 &&
           mbedtls_x509_time_is_future(&certificate_.valid_from) == 0;
  }
  const mbedtls_x509_crt& operator*() const { return certificate_; }

 private:
  mbedtls_x509_crt certificate_;
  bool is_good_ = false;
};

}  // namespace

Resumption::Resumption(const Context& context, const mbedtls_ssl_config& base, Peer peer,
                       mbedtls_ssl_context& ssl, const std::string& server_name,
                       std::function<bool()> is_verified)
    : context_(context),
      base_(base),
      peer_(std::move(peer)),
      ssl_(ssl),
      server_name_(server_name),
      is_verified_(std::move(is_verified)),
      store_(context.frozen().sessions.get()),
      config_(base),
      began_(WallClock()) {}

const mbedtls_ssl_config* Resumption::config() {
  if (store_ == nullptr) return &base_;
  if (is_server()) {
    mbedtls_ssl_conf_session_tickets_cb(&config_, WriteTicket, ParseTicket, this);
    mbedtls_ssl_conf_session_cache(&config_, this, GetSession, SetSession);
  }
  return &config_;
}

SessionTime Resumption::Now() const {
  return std::chrono::time_point_cast<std::chrono::seconds>(WallClock());
}

bool Resumption::is_tls12() const { return noded_ssl_is_tls12(&ssl_) != 0; }

SessionBinding Resumption::Binding() const {
  return is_server() ? store_->binding : BindToName(store_->binding, peer_.expected_name);
}

std::string Resumption::PartialKey() const {
  if (is_server()) return peer_.port == 0 ? "" : fmt::format("{}", peer_.port);
  const SessionBinding binding = Binding();
  return fmt::format("{}:{}/{}", peer_.host, peer_.port,
                     base::ToHex(base::ByteView(binding).first(16)));
}

bool Resumption::MayUseSecret(bool has_extended_master_secret) const {
  if (has_extended_master_secret) return true;
  // A client's certificate is what an attacker in the middle would carry over.
  return is_server() ? context_.verify() == Verify::kNone : context_.certificates().empty();
}

bool Resumption::HasFitPeer(const SessionRecord& record) const {
  const bool is_checked = context_.verify() == Verify::kPeer;
  if (record.peer.empty()) {
    return !is_checked || (is_server() && !context_.options().trust.fail_if_no_peer_cert);
  }
  if (is_checked && !record.is_peer_verified) return false;
  const Parsed certificate(record.peer);
  if (!certificate.is_valid_now()) return false;
  if (!is_checked || peer_.expected_name.empty()) return true;
  const X509Ptr named = ParseX509(record.peer);
  return named != nullptr && MatchesHost(*named, peer_.expected_name);
}

bool Resumption::IsFit(const SessionRecord& record) const {
  const SessionMilliseconds now = WallClock();
  const bool is_timely = record.created <= now && record.received <= now &&
                         now - record.created < store_->lifetime &&
                         now - record.created < kMaxLifetime;
  return is_timely && record.role == context_.role() && record.server_name == server_name_ &&
         base::EqualConstantTime(record.binding, Binding()) && HasFitPeer(record) &&
         (record.version == Version::kTls13 || MayUseSecret(record.has_extended_master_secret));
}

bool Resumption::AsksUser(const SessionRecord& record, base::ByteView id, int suite) const {
  const auto& fun = context_.options().sessions.reuse_fun;
  if (fun == nullptr) return true;
  std::optional<CertificateInfo> peer;
  if (!record.peer.empty()) peer = Describe(*Parsed(record.peer));
  try {
    return fun(base::Slice::Copy(id), peer ? &*peer : nullptr, record.version,
               CipherSuiteName(static_cast<uint16_t>(suite)));
  } catch (...) {
    return false;  // a whole handshake is always safe
  }
}

std::optional<SessionRecord> Resumption::Record(const mbedtls_ssl_session& session) const {
  const bool is_renewed = is_resumed_ && current_;
  SessionRecord record;
  record.role = context_.role();
  record.version = is_tls12() ? Version::kTls12 : Version::kTls13;
  record.has_extended_master_secret = has_extended_master_secret_;
  record.is_peer_verified = is_renewed ? current_->is_peer_verified : is_verified_();
  record.binding = Binding();
  record.received = WallClock();
  record.created = is_renewed ? current_->created : std::min(began_, record.received);
  record.server_name = server_name_;
  record.peer = is_renewed ? current_->peer : PeerOf(session);
  std::optional<base::Slice> saved = SaveSession(session);
  if (!saved) return std::nullopt;
  record.session = *std::move(saved);
  // What could never be accepted is not worth keeping.
  if (!IsFit(record)) return std::nullopt;
  return record;
}

SessionTime Resumption::Expiry(const SessionRecord& record, std::chrono::seconds longest) const {
  const auto created = std::chrono::time_point_cast<std::chrono::seconds>(record.created);
  return std::min({created + store_->lifetime, created + kMaxLifetime, Now() + longest});
}

absl::Status Resumption::Observe() {
  if (store_ == nullptr) return absl::OkStatus();
  noded_ssl_resumption now = {};
  if (noded_ssl_get_resumption(&ssl_, &now) == 0) return fault_;
  has_extended_master_secret_ = now.has_extended_master_secret != 0;
  is_resumed_ = now.is_resumed != 0 && current_.has_value();
  const bool is_changed = !is_server() && is_resumed_ && is_tls12() &&
                          current_->has_extended_master_secret != has_extended_master_secret_;
  if (is_changed) {
    is_resumed_ = false;
    fault_ = base::Error(absl::StatusCode::kUnauthenticated,
                         "the server goes on with a session, but changed its mind about the "
                         "Extended Master Secret (RFC 7627 5.3)",
                         "connect again; when that fails, report it to the authors of the peer",
                         AlertName(Alert::kHandshakeFailure));
  }
  return fault_;
}

void Resumption::Finish() {
  if (store_ == nullptr) return;
  ticket_.reset();
  if (!is_resumed_) DropOffered();
  SessionCounters& counters = store_->counters;
  ++(is_resumed_ ? counters.hits : counters.full);
  if (has_offer_ && !is_resumed_) ++counters.misses;
  const mbedtls_ssl_session* session = ssl_.MBEDTLS_PRIVATE(session);
  if (session == nullptr) return;
  if (!is_server()) {
    if (is_tls12()) Keep(*session, false);
    return;
  }
  if (is_tls12()) return;
  // mbedTLS would end the connection over a ticket that cannot be written.
  const std::optional<SessionRecord> record = Record(*session);
  constexpr size_t kStillToCome = 64;  // the ticket's key
  const bool is_small =
      record && Encode(*record).size() + TicketKeys::kOverhead + kStillToCome < kMaxTicketBytes;
  if (!is_small || Expiry(*record, kMaxLifetime) <= Now()) noded_ssl_send_no_tickets(&ssl_);
}

// ---- Client

bool Resumption::OfferOne(const base::Slice& content) {
  std::optional<SessionRecord> record = DecodeSessionRecord(content);
  MbedtlsSession session;
  if (!record || !IsFit(*record) || !LoadSession(*record, WallClock(), session.get()) ||
      mbedtls_ssl_set_session(&ssl_, session.get()) != 0) {
    return false;
  }
  const base::ByteView ticket = TicketOf(*session.get());
  offered_ticket_id_ = ticket.empty() ? base::Slice() : IdOf(ticket);
  current_ = std::move(record);
  has_offer_ = true;
  return true;
}

void Resumption::Offer() {
  if (store_ == nullptr || is_server()) return;
  if (const base::Slice& given = context_.options().sessions.reuse_session; !given.empty()) {
    OfferOne(given);
    return;
  }
  if (peer_.host.empty()) return;
  for (auto& [key, stored] : store_->cache->SelectSession(PartialKey(), Now())) {
    // Somebody else may be about to use it: then it is theirs.
    if (stored.is_single_use && !store_->cache->Delete(key)) continue;
    if (OfferOne(stored.content)) {
      if (!stored.is_single_use) offered_key_ = key;
      return;
    }
    if (!stored.is_single_use) store_->cache->Delete(key);
  }
}

void Resumption::Forget() {
  const bool is_ours = !is_server() && has_offer_ && !peer_.host.empty() &&
                       context_.options().sessions.reuse_session.empty();
  if (!is_ours) return;
  // RFC 5246 7.2.2: a session of a connection that failed must not be gone on with. If the server
  // has become another one, its others are no better.
  for (const auto& [key, stored] : store_->cache->SelectSession(PartialKey(), Now())) {
    store_->cache->Delete(key);
  }
}

void Resumption::DropOffered() {
  if (offered_key_) store_->cache->Delete(*std::exchange(offered_key_, std::nullopt));
}

void Resumption::Keep(const mbedtls_ssl_session& session, bool is_single_use) {
  if (peer_.host.empty() || !context_.options().sessions.reuse_session.empty()) return;
  const base::ByteView ticket = TicketOf(session);
  base::Slice id;
  if (!ticket.empty()) {
    id = IdOf(ticket);
    // Not a new one: the server took it (it stays), or did not, and mbedTLS left it lying there.
    if (id == offered_ticket_id_) return;
    if (ticket.size() > kMaxTicketBytes) return;
  } else {
    const uint8_t* bytes = session.MBEDTLS_PRIVATE(id);
    id = base::Slice::Copy(base::ByteView(bytes, session.MBEDTLS_PRIVATE(id_len)));
    if (id.empty() || is_resumed_) return;
  }
  const std::optional<SessionRecord> record = Record(session);
  if (!record) return;
  const std::chrono::seconds hint(session.MBEDTLS_PRIVATE(ticket_lifetime));
  const bool has_hint = !ticket.empty() && hint.count() > 0;
  const SessionTime expires = Expiry(*record, has_hint ? hint : kMaxLifetime);
  const SessionTime now = Now();
  if (expires <= now) return;
  DropOffered();  // this one is its successor
  kept_ = Encode(*record);
  store_->cache->Update({PartialKey(), id}, {kept_, now, expires, is_single_use});
  ++store_->counters.kept;
}

void Resumption::KeepTicket() {
  const mbedtls_ssl_session* session = ssl_.MBEDTLS_PRIVATE(session);
  if (store_ == nullptr || session == nullptr || tickets_kept_ >= kMaxTicketsKept) return;
  ++tickets_kept_;
  Keep(*session, true);
}

// ---- Server

bool Resumption::Accept(SessionRecord record, base::ByteView id, mbedtls_ssl_session* session) {
  if (!IsFit(record) || !LoadSession(record, WallClock(), session) ||
      !AsksUser(record, id, session->MBEDTLS_PRIVATE(ciphersuite))) {
    return false;
  }
  current_ = std::move(record);
  return true;
}

int Resumption::WriteTicket(void* self, const mbedtls_ssl_session* session, unsigned char* start,
                            const unsigned char* end, size_t* size, uint32_t* lifetime) {
  auto& resumption = *static_cast<Resumption*>(self);
  *size = 0;
  *lifetime = 0;
  noded_ssl_resumption status = {};
  // Not what a renegotiation came to.
  if (noded_ssl_get_resumption(&resumption.ssl_, &status) == 0) {
    return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  }
  const SessionTime now = resumption.Now();
  const std::optional<SessionRecord> record = resumption.Record(*session);
  if (!record) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  const SessionTime expires = resumption.Expiry(*record, kMaxLifetime);
  if (expires <= now) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  const std::optional<base::Slice> ticket = resumption.store_->keys.Seal(Encode(*record), now);
  if (!ticket) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  const size_t room = static_cast<size_t>(end - start);
  if (ticket->size() > std::min(room, kMaxTicketBytes)) return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
  std::copy(ticket->data(), ticket->data() + ticket->size(), start);
  *size = ticket->size();
  *lifetime = static_cast<uint32_t>((expires - now).count());
  ++resumption.store_->counters.kept;
  return 0;
}

int Resumption::ParseTicket(void* self, mbedtls_ssl_session* session, unsigned char* ticket,
                            size_t size) {
  auto& resumption = *static_cast<Resumption*>(self);
  resumption.has_offer_ = true;
  const base::ByteView bytes(ticket, size);
  const std::optional<base::Slice> content = resumption.store_->keys.Open(bytes, resumption.Now());
  // "Not a ticket" has mbedTLS ask for a pre-shared key with this identity; one of ours whose key
  // is gone is a ticket all the same.
  if (!content) {
    return TicketKeys::IsTicket(bytes) ? MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED
                                       : MBEDTLS_ERR_SSL_INVALID_MAC;
  }
  std::optional<SessionRecord> record = DecodeSessionRecord(*content);
  const Version version = resumption.is_tls12() ? Version::kTls12 : Version::kTls13;
  if (!record || record->version != version) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  if (version == Version::kTls12) {
    // Not all of this ClientHello is read yet: GetSession() decides when it is.
    resumption.ticket_ = std::move(record);
    return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  }
  const bool is_good = resumption.Accept(*std::move(record), IdOf(bytes), session);
  return is_good ? 0 : MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
}

int Resumption::GetSession(void* self, const unsigned char* id, size_t size,
                           mbedtls_ssl_session* session) {
  constexpr int kNone = MBEDTLS_ERR_SSL_CACHE_ENTRY_NOT_FOUND;
  auto& resumption = *static_cast<Resumption*>(self);
  const base::ByteView bytes(id, size);
  resumption.has_offer_ = true;
  std::optional<SessionRecord> record = std::exchange(resumption.ticket_, std::nullopt);
  if (!record) {
    const SessionKey key = {resumption.PartialKey(), base::Slice::Copy(bytes)};
    const auto stored = resumption.store_->cache->Lookup(key, resumption.Now());
    if (stored) record = DecodeSessionRecord(stored->content);
    if (!record || record->version != Version::kTls12) return kNone;
  }
  noded_ssl_resumption now = {};
  if (noded_ssl_get_resumption(&resumption.ssl_, &now) == 0) return kNone;
  const bool has_secret = now.has_extended_master_secret != 0;
  if (record->has_extended_master_secret && !has_secret && resumption.IsFit(*record)) {
    resumption.fault_ = base::Error(
        absl::StatusCode::kUnauthenticated,
        "the client goes on with a session, but without its Extended Master Secret (RFC 7627 5.3)",
        "report it to the authors of the peer", AlertName(Alert::kHandshakeFailure));
    return kNone;
  }
  if (record->has_extended_master_secret != has_secret) return kNone;
  if (!resumption.Accept(*std::move(record), bytes, session)) {
    // mbedTLS frees what is in it.
    return kNone;
  }
  std::copy(bytes.begin(), bytes.end(), session->MBEDTLS_PRIVATE(id));
  session->MBEDTLS_PRIVATE(id_len) = size;
  return 0;
}

int Resumption::SetSession(void* self, const unsigned char* id, size_t size,
                           const mbedtls_ssl_session* session) {
  auto& resumption = *static_cast<Resumption*>(self);
  noded_ssl_resumption now = {};
  // Not what a renegotiation came to.
  if (noded_ssl_get_resumption(&resumption.ssl_, &now) == 0) return 0;
  resumption.has_extended_master_secret_ = now.has_extended_master_secret != 0;
  const std::optional<SessionRecord> record = resumption.Record(*session);
  if (!record) return 0;
  const SessionTime moment = resumption.Now();
  const SessionTime expires = resumption.Expiry(*record, kMaxLifetime);
  const SessionKey key = {resumption.PartialKey(), base::Slice::Copy(base::ByteView(id, size))};
  resumption.store_->cache->Update(key, {Encode(*record), moment, expires, false});
  ++resumption.store_->counters.kept;
  return 0;
}

}  // namespace noded::tls
