// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/signature_scheme.hpp"

#include "messages/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace eventweft::platforms {

namespace {

bool starts_with_any_case(std::string_view text,
                          std::string_view prefix) noexcept {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<proof_algorithm> algorithm_named(std::string_view name) noexcept {
  if (name == "sha1")
    return proof_algorithm::hmac_sha1;
  if (name == "sha256")
    return proof_algorithm::hmac_sha256;
  if (name == "sha512")
    return proof_algorithm::hmac_sha512;
  return std::nullopt;
}

class header_reader {
 public:
  header_reader(const signature_scheme& scheme, parsed_signature& out)
      : scheme_(scheme), out_(out) {}

  void one(std::string_view item, bool any_case = false) {
    const auto& prefix = scheme_.prefix;
    if (any_case ? !starts_with_any_case(item, prefix)
                 : !item.starts_with(prefix))
      return;
    add(scheme_.algorithm, item.substr(prefix.size()));
  }

  void pair(std::string_view item) {
    const auto equals = item.find('=');
    if (equals == std::string_view::npos)
      return;
    const auto key = trim(item.substr(0, equals));
    const auto value = trim(item.substr(equals + 1));
    if (key == scheme_.prefix)
      add(scheme_.algorithm, value);
    else if (scheme_.time.from == timestamp_rule::origin::signature &&
             key == scheme_.time.name && out_.timestamp.empty())
      out_.timestamp = value;
  }

  void named(std::string_view item) {
    const auto equals = item.find('=');
    if (equals == std::string_view::npos)
      return;
    const auto algorithm = algorithm_named(item.substr(0, equals));
    if (algorithm && std::find(scheme_.allowed.begin(), scheme_.allowed.end(),
                               *algorithm) != scheme_.allowed.end())
      add(*algorithm, item.substr(equals + 1));
  }

 private:
  void add(proof_algorithm algorithm, std::string_view text) {
    text = trim(text);
    if (!text.empty() && out_.candidates.size() < max_signatures)
      out_.candidates.push_back({algorithm, text});
  }

  const signature_scheme& scheme_;
  parsed_signature& out_;
};

template <class F>
void for_each_item(std::string_view text, char separator, F&& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (const auto item = trim(text.substr(0, end)); !item.empty())
      use(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<timestamp> read_time(timestamp_rule::unit unit,
                                   std::string_view text) {
  if (unit == timestamp_rule::unit::rfc3339)
    return parse_rfc3339(text);
  int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stopped != end || number < 0)
    return std::nullopt;
  const int64_t scale =
      unit == timestamp_rule::unit::seconds ? 1'000'000 : 1'000;
  // The year 5138 is far enough, and keeps all sums within 64 bits.
  if (number > 100'000'000'000'000'000 / scale)
    return std::nullopt;
  return timestamp{std::chrono::microseconds{number * scale}};
}

} // namespace

parsed_signature parse_signature(const signature_scheme& scheme,
                                 std::string_view value) {
  parsed_signature out;
  header_reader read{scheme, out};
  value = trim(value);
  switch (scheme.format) {
  case header_format::plain:
  case header_format::prefix:
    // "Bearer" and its kind are names in any case (RFC 9110).
    read.one(value, scheme.algorithm == proof_algorithm::static_token);
    break;
  case header_format::pairs:
    for_each_item(value, ',', [&](std::string_view i) { read.pair(i); });
    break;
  case header_format::space_list:
    for_each_item(value, ' ', [&](std::string_view i) { read.one(i); });
    break;
  case header_format::comma_list:
    for_each_item(value, ',', [&](std::string_view i) { read.one(i); });
    break;
  case header_format::algorithm_prefix:
    read.named(value);
    break;
  }
  return out;
}

std::optional<std::string> decode_secret(const signature_scheme& scheme,
                                         std::string_view secret) {
  // A public key is known to all: taken for a shared secret it would let
  // anybody sign.
  if (scheme.algorithm != proof_algorithm::ed25519 &&
      (secret.starts_with("whpk_") || secret.starts_with("whsk_")))
    return std::nullopt;
  const bool prefixed =
      !scheme.secret_prefix.empty() && secret.starts_with(scheme.secret_prefix);
  auto bare = secret;
  if (prefixed)
    bare.remove_prefix(scheme.secret_prefix.size());
  std::optional<std::string> key;
  switch (scheme.secret) {
  case secret_encoding::raw:
    key = std::string{secret};
    break;
  case secret_encoding::base64:
    key = crypto::from_base64(bare);
    break;
  case secret_encoding::base64_prefixed:
    if (prefixed)
      key = crypto::from_base64(bare);
    break;
  case secret_encoding::hex:
    key = crypto::from_hex(bare);
    break;
  case secret_encoding::base64_if_prefixed:
    key = prefixed ? crypto::from_base64(bare)
                   : std::optional{std::string{secret}};
    break;
  }
  if (key && key->empty())
    return std::nullopt;
  if (key && scheme.algorithm == proof_algorithm::ed25519 && key->size() != 32)
    return std::nullopt;
  return key;
}

std::string place_of(const signature_scheme& s) {
  return s.header.empty() ? "query parameter " + s.query_parameter
                          : "header " + display_name(s.header);
}

expected<void> check_timestamp(const signature_scheme& scheme, request& r,
                               std::string_view beside_signature,
                               timestamp now) {
  const auto& rule = scheme.time;
  using origin = timestamp_rule::origin;
  std::string scratch;
  std::string where;
  std::string_view text;
  switch (rule.from) {
  case origin::none:
    return {};
  case origin::signature:
    where = place_of(scheme) + ": " + rule.name;
    text = beside_signature;
    break;
  case origin::header:
    where = "header " + display_name(rule.name);
    text = r.header(rule.name).value_or(std::string_view{});
    break;
  case origin::json: {
    where = "body: " + rule.name;
    const auto root = r.json();
    if (!root)
      return fail(root.error());
    text =
        codec::text_at(*root, rule.name, scratch).value_or(std::string_view{});
    break;
  }
  }
  if (text.empty())
    return fail(ec::unauthorized, where + ": the signed time is missing");
  const auto time = read_time(rule.in, text);
  if (!time)
    return fail(ec::unauthorized, where + ": not a time");
  const auto window =
      std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(rule.tolerance)
              .count()) +
      " s";
  if (*time < now - rule.tolerance)
    return fail(ec::unauthorized,
                where + ": signed more than " + window + " ago");
  if (rule.refuse_future && *time > now + rule.tolerance)
    return fail(ec::unauthorized,
                where + ": signed more than " + window + " in the future");
  return {};
}

std::string_view to_string(proof_algorithm a) noexcept {
  switch (a) {
  case proof_algorithm::hmac_sha1:
    return "sha1";
  case proof_algorithm::hmac_sha256:
    return "sha256";
  case proof_algorithm::hmac_sha512:
    return "sha512";
  case proof_algorithm::ed25519:
    return "ed25519";
  case proof_algorithm::static_token:
    return "token";
  }
  return "sha256";
}

crypto::hash hash_of(proof_algorithm a) noexcept {
  switch (a) {
  case proof_algorithm::hmac_sha1:
    return crypto::hash::sha1;
  case proof_algorithm::hmac_sha512:
    return crypto::hash::sha512;
  default:
    return crypto::hash::sha256;
  }
}

} // namespace eventweft::platforms
