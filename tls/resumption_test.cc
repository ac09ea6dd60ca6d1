#include "tls/resumption.h"

#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine_pair.h"
#include "tls/frozen.h"
#include "tls/mbedtls_session.h"
#include "tls/memory_session_cache.h"
#include "tls/sqlite_session_cache.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::TestCerts;

using ContextPtr = std::shared_ptr<const Context>;

// One connection between contexts that live longer than it.
struct Meeting {
  Meeting(const ContextPtr& server_context, const ContextPtr& client_context,
          std::string host = kHost, size_t step = SIZE_MAX)
      : server(server_context), client(client_context, std::move(host)) {
    Carry(client, server, step);
    if (client.error.ok() && server.error.ok()) {
      // A server's tickets come with its first bytes after the handshake.
      Send(server, "x");
      Carry(client, server, step);
    }
  }
  bool is_resumed() const {
    EXPECT_TRUE(client.info && server.info) << client.error << server.error;
    if (!client.info || !server.info) return false;
    EXPECT_EQ(client.info->is_resumed, server.info->is_resumed);
    EXPECT_EQ(client.received, "x");
    return client.info->is_resumed;
  }
  Side server, client;
};

// Every session of a cache as `change` makes it.
void Change(SessionCache& cache, const std::function<void(SessionRecord&)>& change) {
  std::vector<std::pair<SessionKey, StoredSession>> all;
  cache.ForEach(
      [&](const SessionKey& key, const StoredSession& session) { all.emplace_back(key, session); });
  for (auto& [key, session] : all) {
    auto record = DecodeSessionRecord(session.content);
    ASSERT_TRUE(record);
    change(*record);
    session.content = Encode(*record);
    cache.Update(key, session);
  }
}

std::vector<SessionRecord> Records(SessionCache& cache) {
  std::vector<SessionRecord> records;
  cache.ForEach([&](const SessionKey&, const StoredSession& session) {
    auto record = DecodeSessionRecord(session.content);
    ASSERT_TRUE(record);
    records.push_back(*record);
  });
  return records;
}

class ResumptionTest : public testing::TestWithParam<Version> {
 protected:
  Options Server() {
    Options options = Mutual(certs_, b_, Role::kServer);
    Only(options, GetParam());
    options.sessions.cache = server_cache_;
    return options;
  }
  Options Client() {
    Options options = Mutual(certs_, a_, Role::kClient);
    Only(options, GetParam());
    options.sessions.cache = client_cache_;
    return options;
  }
  bool is_tls13() const { return GetParam() == Version::kTls13; }
  // A session between these is there, and good.
  void Establish(const ContextPtr& server, const ContextPtr& client) {
    ASSERT_FALSE(Meeting(server, client).is_resumed());
    ASSERT_GT(client_cache_->size(), 0u);
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  std::shared_ptr<SessionCache> client_cache_ = std::make_shared<MemorySessionCache>(100);
  std::shared_ptr<SessionCache> server_cache_ = std::make_shared<MemorySessionCache>(100);
};

INSTANTIATE_TEST_SUITE_P(Versions, ResumptionTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(ResumptionTest, GoesOnAndStillKnowsThePeerInAnyCut) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  const Meeting first(server, client);
  ASSERT_FALSE(first.is_resumed());
  for (size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
    const Meeting next(server, client, kHost, step);
    ASSERT_TRUE(next.is_resumed()) << step;
    for (const auto& [now, then] :
         {std::pair(&next.client, &first.client), {&next.server, &first.server}}) {
      ASSERT_TRUE(now->info->peer);
      EXPECT_EQ(now->info->peer->der, then->info->peer->der);
      EXPECT_EQ(now->info->peer->dns_names, then->info->peer->dns_names);
      EXPECT_EQ(now->info->peer_chain.front(), then->info->peer->der);
      EXPECT_TRUE(now->info->is_peer_verified);
      EXPECT_EQ(now->info->version, GetParam());
      EXPECT_EQ(now->info->server_name, kHost);
      EXPECT_EQ(now->info->cipher_suite, then->info->cipher_suite);
    }
  }
  EXPECT_EQ(client->session_counts().hits, 3u);
  EXPECT_EQ(server->session_counts().hits, 3u);
  for (const ContextPtr& context : {server, client}) {
    EXPECT_EQ(context->session_counts().full, 1u);
    EXPECT_EQ(context->session_counts().misses, 0u);
    EXPECT_GT(context->session_counts().kept, 0u);
  }
}

TEST_P(ResumptionTest, OffOnEitherSideMeansWholeHandshakesAndNothingKept) {
  for (const auto& [by_server, by_client] : {std::pair(false, true), {true, false}}) {
    Options server = Server(), client = Client();
    server.sessions.reuse_sessions = by_server;
    client.sessions.reuse_sessions = by_client;
    const ContextPtr a = Make(server, Role::kServer), b = Make(client, Role::kClient);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(Meeting(a, b).is_resumed());
    // A TLS 1.2 server of mbedTLS gives its sessions an id, whether it keeps them or not.
    EXPECT_EQ(client_cache_->size(), by_client && !is_tls13() ? 1u : 0u);
    EXPECT_EQ(server_cache_->size() == 0, !by_server || is_tls13());
    client_cache_ = std::make_shared<MemorySessionCache>(100);
  }
}

TEST_P(ResumptionTest, GoesOnForALongTimeAndNeverLongerThanTheFirstHandshakeAllows) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  const SessionMilliseconds created = Records(*client_cache_).front().created;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Meeting(server, client).is_resumed()) << i;
    for (const SessionRecord& record : Records(*client_cache_)) {
      EXPECT_EQ(record.created, created);
    }
  }
}

TEST_P(ResumptionTest, AnAgedSessionIsPassedOver) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  Change(*client_cache_, [](SessionRecord& record) { record.created -= std::chrono::hours(24); });
  EXPECT_FALSE(Meeting(server, client).is_resumed());
  Change(*client_cache_, [](SessionRecord& record) { record.created += std::chrono::hours(1); });
  EXPECT_FALSE(Meeting(server, client).is_resumed());
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST_P(ResumptionTest, NoSessionOfWeakerVerificationServesStronger) {
  const ContextPtr server = Make(Server(), Role::kServer);
  Options lax = Client();
  lax.trust.verify = Verify::kNone;
  lax.trust.cacertfile.clear();
  Options nameless = Client();
  nameless.trust.name_check = NameCheck::kDisabled;
  Options anchored = Client();
  anchored.trust.cacertfile = certs_.InOne({certs_.ca(), certs_.untrusted_ca()});
  for (Options weaker : {lax, nameless, anchored}) {
    client_cache_ = std::make_shared<MemorySessionCache>(100);
    weaker.sessions.cache = client_cache_;
    const ContextPtr client = Make(weaker, Role::kClient);
    EXPECT_FALSE(Meeting(server, client).is_resumed());
    EXPECT_TRUE(Meeting(server, client).is_resumed());
    EXPECT_FALSE(Meeting(server, Make(Client(), Role::kClient)).is_resumed());
  }
  // Not even when the cache's keys say otherwise.
  const ContextPtr strict = Make(Client(), Role::kClient);
  Change(*client_cache_, [](SessionRecord& record) { record.is_peer_verified = false; });
  EXPECT_FALSE(Meeting(server, strict).is_resumed());
}

TEST_P(ResumptionTest, AServerPassesOverWhatItDidNotVerifyLikeThis) {
  Options lax = Server();
  lax.trust.verify = Verify::kNone;
  lax.trust.fail_if_no_peer_cert = false;
  // One port and one cache, then stricter.
  const ContextPtr client = Make(Client(), Role::kClient);
  EXPECT_FALSE(Meeting(Make(lax, Role::kServer), client).is_resumed());
  const Meeting strict(Make(Server(), Role::kServer), client);
  EXPECT_FALSE(strict.is_resumed());
  EXPECT_TRUE(strict.server.info->is_peer_verified);
}

TEST_P(ResumptionTest, AnotherIdentityOfOursProvesItselfAnew) {
  const ContextPtr server = Make(Server(), Role::kServer);
  Establish(server, Make(Client(), Role::kClient));
  Options other = Client();
  const CertFiles c = certs_.Node("c@c.example");
  other.identity.certfile = c.cert;
  other.identity.keyfile = c.key;
  const Meeting meeting(server, Make(other, Role::kClient));
  EXPECT_FALSE(meeting.is_resumed());
  EXPECT_EQ(meeting.server.info->peer->dns_names, std::vector<std::string>{"c.example"});
}

TEST_P(ResumptionTest, AnotherHostOrNameIsAnotherSession) {
  Options server_options = Server();
  const CertFiles two = certs_.WithHosts("two", {"b.example", "c.example"});
  server_options.identity.certfile = two.cert;
  server_options.identity.keyfile = two.key;
  const ContextPtr server = Make(server_options, Role::kServer);
  const ContextPtr client = Make(Client(), Role::kClient);
  Establish(server, client);
  EXPECT_FALSE(Meeting(server, client, "c.example").is_resumed());
  Options given = Client();
  given.trust.name_check = NameCheck::kGiven;
  given.trust.server_name = "c.example";
  EXPECT_FALSE(Meeting(server, Make(given, Role::kClient)).is_resumed());
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST_P(ResumptionTest, TheNameAndTheDatesOfTheKeptCertificateAreLookedAtAgain) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  const CertFiles others[] = {certs_.Node("c@c.example"), certs_.Expired("b@b.example"),
                              certs_.NotYetValid("b@b.example")};
  for (const CertFiles& other : others) {
    Meeting(server, client);
    auto certificate = ReadCertificates(base::AsBytes(testlib::ReadFile(other.cert)));
    ASSERT_TRUE(certificate.ok());
    Change(*client_cache_, [&](SessionRecord& record) { record.peer = certificate->front().der; });
    EXPECT_FALSE(Meeting(server, client).is_resumed()) << other.cert;
    Change(*client_cache_, [&](SessionRecord& record) { record.peer = base::Slice(); });
    EXPECT_FALSE(Meeting(server, client).is_resumed());
    ASSERT_TRUE(Meeting(server, client).is_resumed());
  }
}

TEST_P(ResumptionTest, AServerWithOtherKeysOrCertificatesAnswersWithAWholeHandshake) {
  const ContextPtr client = Make(Client(), Role::kClient);
  Establish(Make(Server(), Role::kServer), client);
  server_cache_ = std::make_shared<MemorySessionCache>(100);
  const ContextPtr restarted = Make(Server(), Role::kServer);
  EXPECT_FALSE(Meeting(restarted, client).is_resumed());
  EXPECT_EQ(restarted->session_counts(),
            (SessionCounts{0, 1, 1, restarted->session_counts().kept}));
  EXPECT_EQ(client->session_counts().misses, 1u);
  EXPECT_TRUE(Meeting(restarted, client).is_resumed());
}

TEST_P(ResumptionTest, TheUserOfTheServerDecides) {
  std::vector<std::string> asked;
  bool answer = true;
  Options options = Server();
  options.sessions.reuse_fun = [&](const base::Slice& id, const CertificateInfo* peer,
                                   Version version, std::string_view suite) {
    EXPECT_EQ(id.size(), 32u);
    EXPECT_EQ(version, GetParam());
    EXPECT_NE(suite, "");
    asked.push_back(peer == nullptr ? "" : peer->dns_names.front());
    return answer;
  };
  const ContextPtr server = Make(options, Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(Meeting(server, client).is_resumed());
  EXPECT_EQ(asked, std::vector<std::string>{"a.example"});
  answer = false;
  EXPECT_FALSE(Meeting(server, client).is_resumed());
  EXPECT_EQ(asked.size(), 2u);
}

TEST_P(ResumptionTest, AFunctionThatThrowsMeansNo) {
  Options options = Server();
  options.sessions.reuse_fun = [](const base::Slice&, const CertificateInfo*, Version,
                                  std::string_view) -> bool { throw std::runtime_error("no"); };
  const ContextPtr server = Make(options, Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  EXPECT_FALSE(Meeting(server, client).is_resumed());
}

TEST_P(ResumptionTest, AGivenSessionIsTheOnlyOne) {
  const ContextPtr server = Make(Server(), Role::kServer);
  Establish(server, Make(Client(), Role::kClient));
  Options options = Client();
  client_cache_->ForEach([&](const SessionKey&, const StoredSession& session) {
    options.sessions.reuse_session = session.content;
  });
  options.sessions.cache = std::make_shared<MemorySessionCache>(100);
  const ContextPtr client = Make(options, Role::kClient);
  EXPECT_TRUE(Meeting(server, client).is_resumed());
  EXPECT_EQ(options.sessions.cache->size(), 0u);

  options.sessions.reuse_session = base::Slice::Copy("no session");
  const ContextPtr confused = Make(options, Role::kClient);
  EXPECT_FALSE(Meeting(server, confused).is_resumed());
  EXPECT_EQ(options.sessions.cache->size(), 0u);
}

TEST_P(ResumptionTest, ADamagedSessionIsPassedOverAndForgotten) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  const size_t before = client_cache_->size();
  Change(*client_cache_, [](SessionRecord& record) {
    record.session = record.session.Sub(0, record.session.size() - 1);
  });
  EXPECT_FALSE(Meeting(server, client).is_resumed());
  EXPECT_EQ(client_cache_->size(), before);
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST_P(ResumptionTest, AClientsCacheInAFileServesTheNextProcess) {
  testlib::TempDir dir;
  auto open = [&] { return *SqliteSessionCache::Open(dir.File("client.sessions"), 100); };
  const ContextPtr server = Make(Server(), Role::kServer);
  client_cache_ = open();
  Establish(server, Make(Client(), Role::kClient));
  client_cache_.reset();
  client_cache_ = open();
  EXPECT_TRUE(Meeting(server, Make(Client(), Role::kClient)).is_resumed());
}

TEST_P(ResumptionTest, ASharedCacheIsSafeWhenManyConnectAtOnce) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const Meeting meeting(server, client);
        EXPECT_TRUE(meeting.client.info && meeting.server.info) << meeting.client.error;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const SessionCounts counts = client->session_counts();
  EXPECT_EQ(counts.hits + counts.full, 21u);
  EXPECT_EQ(server->session_counts().hits, counts.hits);
}

TEST_P(ResumptionTest, ASessionOfAFailedConnectionIsNotOfferedAgain) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  Side broken(client, kHost);
  broken.Run();
  EXPECT_FALSE(broken.engine.TakeOutput().empty());
  // The alert handshake_failure.
  const std::vector<uint8_t> alert = {21, 3, 3, 0, 2, 2, 40};
  broken.engine.Feed(alert);
  broken.Run();
  EXPECT_FALSE(broken.error.ok());
  EXPECT_EQ(client_cache_->size(), 0u);
}

// ---- TLS 1.3 alone

class Tls13ResumptionTest : public ResumptionTest {};
INSTANTIATE_TEST_SUITE_P(Tls13, Tls13ResumptionTest, testing::Values(Version::kTls13));

TEST_P(Tls13ResumptionTest, TicketsAreUsedOnceAndRenewed) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  ASSERT_EQ(client_cache_->size(), 2u);
  // Two connections at once have a ticket each; a third has none.
  Side one(client, kHost), two(client, kHost), three(client, kHost);
  for (Side* side : {&one, &two, &three}) side->Run();
  EXPECT_EQ(client_cache_->size(), 0u);
  for (Side* side : {&one, &two, &three}) {
    Side peer(server);
    Carry(*side, peer);
    ASSERT_TRUE(side->info) << side->error;
    EXPECT_EQ(side->info->is_resumed, side != &three);
  }
  EXPECT_GE(client_cache_->size(), 3u);
}

TEST_P(Tls13ResumptionTest, AForgedTicketIsOnlyAWholeHandshake) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  Change(*client_cache_, [](SessionRecord& record) {
    // The ticket is the end of mbedTLS's form.
    std::vector<uint8_t> bytes = base::ToVector(record.session);
    bytes.back() ^= 1;
    record.session = base::Slice(bytes);
  });
  const Meeting meeting(server, client);
  EXPECT_FALSE(meeting.is_resumed());
  EXPECT_TRUE(meeting.server.info->is_peer_verified);
  EXPECT_EQ(server->session_counts().misses, 1u);
}

TEST_P(Tls13ResumptionTest, AStolenTicketWithoutItsKeyIsRefused) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  Change(*client_cache_, [](SessionRecord& record) {
    // Its resumption key: behind version, header and 6 bytes of the ticket's own.
    MbedtlsSession session;
    ASSERT_TRUE(LoadSession(record, record.received, session.get()));
    session->MBEDTLS_PRIVATE(resumption_key)[0] ^= 1;
    record.session = *SaveSession(*session.get());
  });
  const Meeting meeting(server, client);
  EXPECT_FALSE(meeting.server.info);
  EXPECT_FALSE(meeting.server.error.ok());
  EXPECT_FALSE(meeting.client.error.ok());
  // And all of that server are gone.
  EXPECT_EQ(client_cache_->size(), 0u);
  Meeting(server, client);
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST_P(Tls13ResumptionTest, AHugeCertificateOfThePeerMeansNoTicketsNotNoConnection) {
  std::vector<std::string> hosts;
  for (int i = 0; i < 400; ++i)
    hosts.push_back("a-host-with-quite-a-long-name-" + std::to_string(i));
  Options options = Client();
  const CertFiles big = certs_.WithHosts("big", hosts);
  options.identity.certfile = big.cert;
  options.identity.keyfile = big.key;
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(options, Role::kClient);
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Meeting(server, client).is_resumed());
  EXPECT_EQ(client_cache_->size(), 0u);
}

// ---- TLS 1.2 alone

class Tls12ResumptionTest : public ResumptionTest {};
INSTANTIATE_TEST_SUITE_P(Tls12, Tls12ResumptionTest, testing::Values(Version::kTls12));

// A configuration of mbedTLS that our engine would never use, for the other side.
void Weaken(const ContextPtr& context, bool with_tickets, bool with_secret) {
  auto& config = const_cast<mbedtls_ssl_config&>(context->frozen().config);
  mbedtls_ssl_conf_session_tickets(&config, with_tickets);
  mbedtls_ssl_conf_extended_master_secret(&config, with_secret);
}

TEST_P(Tls12ResumptionTest, SessionIdsServeClientsWithoutTickets) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Weaken(client, false, true);
  const Meeting first(server, client);
  EXPECT_FALSE(first.is_resumed());
  EXPECT_EQ(server_cache_->size(), 1u);
  EXPECT_EQ(first.client.info->session_id.size(), 32u);
  EXPECT_EQ(first.client.info->session_id, first.server.info->session_id);
  for (int i = 0; i < 3; ++i) {
    const Meeting next(server, client);
    EXPECT_TRUE(next.is_resumed());
    EXPECT_EQ(next.client.info->session_id, first.client.info->session_id);
    EXPECT_EQ(next.server.info->session_id, first.client.info->session_id);
  }
  EXPECT_EQ(server_cache_->size(), 1u);
  EXPECT_EQ(client_cache_->size(), 1u);
}

TEST_P(Tls12ResumptionTest, AServersCacheInAFileServesTheNextProcess) {
  testlib::TempDir dir;
  auto open = [&] { return *SqliteSessionCache::Open(dir.File("server.sessions"), 100); };
  server_cache_ = open();
  ContextPtr server = Make(Server(), Role::kServer);
  const ContextPtr client = Make(Client(), Role::kClient);
  Weaken(client, false, true);
  EXPECT_FALSE(Meeting(server, client).is_resumed());
  server.reset();
  server_cache_.reset();
  server_cache_ = open();
  server = Make(Server(), Role::kServer);
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST_P(Tls12ResumptionTest, WithoutExtendedMasterSecretNothingGoesOnWhereCertificatesAreShown) {
  for (bool with_tickets : {false, true}) {
    const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
    Weaken(client, with_tickets, false);
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(Meeting(server, client).is_resumed());
    EXPECT_EQ(server_cache_->size(), 0u);
    EXPECT_EQ(client_cache_->size(), 0u);
  }
}

TEST_P(Tls12ResumptionTest, WithoutExtendedMasterSecretItGoesOnWhereNobodyShowsACertificate) {
  Options server_options = Server(), client_options = Client();
  server_options.trust.verify = client_options.trust.verify = Verify::kNone;
  server_options.trust.fail_if_no_peer_cert = false;
  client_options.identity = {};
  for (bool with_tickets : {false, true}) {
    const ContextPtr server = Make(server_options, Role::kServer);
    const ContextPtr client = Make(client_options, Role::kClient);
    Weaken(client, with_tickets, false);
    EXPECT_FALSE(Meeting(server, client).is_resumed());
    EXPECT_TRUE(Meeting(server, client).is_resumed());
    // RFC 7627 5.3: a client that knows the extension by now gets a whole handshake.
    Weaken(client, with_tickets, true);
    EXPECT_FALSE(Meeting(server, client).is_resumed());
    // And one that knew it and leaves it out is up to no good.
    Weaken(client, with_tickets, false);
    const Meeting downgraded(server, client);
    EXPECT_EQ(base::ReasonOf(downgraded.server.error), "handshake_failure");
    EXPECT_NE(downgraded.server.error.message().find("RFC 7627"), std::string_view::npos);
    EXPECT_EQ(base::ReasonOf(downgraded.client.error), "handshake_failure");
    client_cache_ = std::make_shared<MemorySessionCache>(100);
    client_options.sessions.cache = client_cache_;
  }
}

TEST_P(Tls12ResumptionTest, AnUnknownTicketOfOursIsDroppedNotMixedWithTheNewSession) {
  const ContextPtr client = Make(Client(), Role::kClient);
  Establish(Make(Server(), Role::kServer), client);
  // A server without tickets gives its own session id, and mbedTLS still has the old ticket.
  server_cache_ = std::make_shared<MemorySessionCache>(100);
  const ContextPtr plain = Make(Server(), Role::kServer);
  Weaken(plain, false, true);
  for (int i = 0; i < 4; ++i) {
    const Meeting meeting(plain, client);
    ASSERT_TRUE(meeting.client.info && meeting.server.info)
        << meeting.client.error << meeting.server.error;
  }
  EXPECT_EQ(client->session_counts().misses, 1u);
}

TEST_P(Tls12ResumptionTest, ARenegotiationOnAResumedConnectionProvesBothAnew) {
  const ContextPtr server = Make(Server(), Role::kServer), client = Make(Client(), Role::kClient);
  Establish(server, client);
  Meeting meeting(server, client);
  ASSERT_TRUE(meeting.is_resumed());
  ASSERT_TRUE(meeting.client.engine.Renegotiate().ok());
  Carry(meeting.client, meeting.server);
  EXPECT_EQ(meeting.client.renegotiated, 1);
  EXPECT_EQ(meeting.server.renegotiated, 1);
  EXPECT_TRUE(meeting.client.error.ok()) << meeting.client.error;
  EXPECT_TRUE(meeting.server.error.ok()) << meeting.server.error;
  EXPECT_FALSE(meeting.server.info->is_resumed);
  EXPECT_TRUE(meeting.server.info->is_peer_verified);
  EXPECT_TRUE(Meeting(server, client).is_resumed());
}

TEST(ResumptionVersionsTest, AClientOfBothVersionsGoesOnInTheOneThatItSpokeBefore) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  const ContextPtr client = Make(Mutual(certs, a, Role::kClient), Role::kClient);
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options options = Mutual(certs, b, Role::kServer);
    Only(options, version);
    const ContextPtr server = Make(options, Role::kServer);
    // A session of the other version may be in the way once; then it is forgotten.
    Meeting(server, client);
    Meeting(server, client);
    Meeting(server, client);
    const Meeting meeting(server, client);
    EXPECT_TRUE(meeting.is_resumed());
    EXPECT_EQ(meeting.client.info->version, version);
  }
}

}  // namespace
}  // namespace noded::tls
