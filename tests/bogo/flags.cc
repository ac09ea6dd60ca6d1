#include "tests/bogo/flags.h"

#include <charconv>
#include <string_view>
#include <variant>

#include "fmt/format.h"

namespace noded::bogo {
namespace {

using Connection = ConnectionFlags;
// Nothing: known, without a value, and without an effect.
using Place =
    std::variant<std::monostate, bool Connection::*, int Connection::*, std::string Connection::*,
                 std::vector<int> Connection::*, bool Flags::*, int Flags::*, std::string Flags::*>;

struct Flag {
  std::string_view name;
  Place place;
};

const Flag kFlags[] = {
    {"-port", &Flags::port},
    {"-ipv6", &Flags::ipv6},
    {"-shim-id", &Flags::shim_id},
    {"-resume-count", &Flags::resume_count},
    {"-is-handshaker-supported", &Flags::is_handshaker_supported},

    {"-server", &Connection::is_server},
    {"-key-file", &Connection::key_file},
    {"-cert-file", &Connection::cert_file},
    {"-trust-cert", &Connection::trust_cert},
    {"-host-name", &Connection::host_name},
    {"-cipher", &Connection::cipher},
    {"-curves", &Connection::curves},
    {"-signing-prefs", &Connection::signing_prefs},
    {"-verify-prefs", &Connection::verify_prefs},
    {"-min-version", &Connection::min_version},
    {"-max-version", &Connection::max_version},
    {"-no-tls13", &Connection::no_tls13},
    {"-no-tls12", &Connection::no_tls12},
    {"-no-tls11", &Connection::no_tls11},
    {"-no-tls1", &Connection::no_tls1},
    {"-server-preference", &Connection::server_preference},
    {"-advertise-alpn", &Connection::advertise_alpn},
    {"-select-alpn", &Connection::select_alpn},
    {"-decline-alpn", &Connection::decline_alpn},
    {"-reject-alpn", &Connection::reject_alpn},
    {"-verify-peer", &Connection::verify_peer},
    {"-require-any-client-certificate", &Connection::require_any_client_certificate},
    {"-verify-fail", &Connection::verify_fail},
    {"-use-custom-verify-callback", &Connection::use_custom_verify_callback},
    {"-renegotiate-freely", &Connection::renegotiate_freely},
    {"-psk", &Connection::psk},
    {"-psk-identity", &Connection::psk_identity},

    {"-async", &Connection::async},
    {"-shim-writes-first", &Connection::shim_writes_first},
    {"-shim-shuts-down", &Connection::shim_shuts_down},
    {"-check-close-notify", &Connection::check_close_notify},
    {"-write-different-record-sizes", &Connection::write_different_record_sizes},
    {"-key-update", &Connection::key_update},
    {"-export-keying-material", &Connection::export_keying_material},
    {"-export-label", &Connection::export_label},
    {"-export-context", &Connection::export_context},
    {"-use-export-context", &Connection::use_export_context},
    {"-use-exporter-between-reads", &Connection::use_exporter_between_reads},

    {"-expect-version", &Connection::expect_version},
    {"-expect-cipher", &Connection::expect_cipher},
    {"-expect-cipher-aes", &Connection::expect_cipher_aes},
    {"-expect-curve-id", &Connection::expect_curve_id},
    {"-expect-alpn", &Connection::expect_alpn},
    {"-expect-server-name", &Connection::expect_server_name},
    {"-expect-peer-cert-file", &Connection::expect_peer_cert_file},
    {"-expect-session-miss", &Connection::expect_session_miss},
    {"-expect-verify-result", &Connection::expect_verify_result},
    {"-expect-total-renegotiations", &Connection::expect_total_renegotiations},

    // An Engine's Next() shakes hands before it gives data, whoever asks.
    {"-implicit-handshake", {}},
    // Engine::Write() takes whatever it is given.
    {"-partial-write", {}},
    // Data comes in records, whatever the reader would take.
    {"-read-size", {}},
    // There is one way to give a client's certificate.
    {"-use-old-client-cert-callback", {}},
};

const Flag* FindFlag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

absl::Status BadValue(std::string_view name, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("flag {}: {}", name, why));
}

absl::StatusOr<int> Number(std::string_view name, std::string_view value) {
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return BadValue(name, fmt::format("'{}' is no number", value));
  }
  return number;
}

bool TakesValue(const Place& place) {
  return !std::holds_alternative<std::monostate>(place) &&
         !std::holds_alternative<bool Connection::*>(place) &&
         !std::holds_alternative<bool Flags::*>(place);
}

// Into one place of one object; places of the other kind of object are left alone.
template <class Object>
absl::Status Set(Object& object, const Flag& flag, const std::string& value) {
  if (auto* is = std::get_if<bool Object::*>(&flag.place)) object.*(*is) = true;
  if (auto* text = std::get_if<std::string Object::*>(&flag.place)) object.*(*text) = value;
  if (auto* number = std::get_if<int Object::*>(&flag.place)) {
    auto parsed = Number(flag.name, value);
    if (!parsed.ok()) return parsed.status();
    object.*(*number) = *parsed;
  }
  if constexpr (std::is_same_v<Object, Connection>) {
    if (auto* list = std::get_if<std::vector<int> Connection::*>(&flag.place)) {
      auto parsed = Number(flag.name, value);
      if (!parsed.ok()) return parsed.status();
      (object.*(*list)).push_back(*parsed);
    }
  }
  return absl::OkStatus();
}

// "-on-resume-async", "-on-resume": true, and leaves "-async".
bool TakePrefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.substr(prefix.size(), 1) != "-") return false;
  name.remove_prefix(prefix.size());
  return true;
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    TakePrefix(name, "-on-shim");
    // The handshaker is another program, and -on-retry follows rejected early data: neither comes.
    const bool is_for_others = TakePrefix(name, "-on-handshaker") || TakePrefix(name, "-on-retry");
    const bool is_initial = TakePrefix(name, "-on-initial");
    const bool is_resume = !is_initial && TakePrefix(name, "-on-resume");
    const Flag* flag = FindFlag(name);
    if (flag == nullptr) {
      return absl::UnimplementedError(fmt::format("flag {}: not implemented here", arguments[i]));
    }
    std::string value;
    if (TakesValue(flag->place)) {
      if (++i == arguments.size()) return BadValue(name, "its value is missing");
      value = arguments[i];
    }
    if (is_for_others) continue;
    absl::Status status = Set(flags, *flag, value);
    if (status.ok() && !is_resume) status = Set(flags.initial, *flag, value);
    if (status.ok() && !is_initial) status = Set(flags.resume, *flag, value);
    if (!status.ok()) return status;
  }
  return flags;
}

}  // namespace noded::bogo
