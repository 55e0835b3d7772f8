// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt.hpp"

#include "auth/base64url.hpp"
#include "codec/filter.hpp"
#include "codec/payload.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace eventweft::auth {

struct jwt_verifier::header {
  jws_algorithm algorithm = jws_algorithm::eddsa;
  std::string key_id;
};

namespace {

namespace dom = simdjson::dom;

constexpr size_t max_token = 16u << 10;
// Seconds since 1970 that a timestamp holds with room to add a leeway: year
// 9999.
constexpr double max_seconds = 253'402'300'799.0;

tl::unexpected<error> refuse(std::string why) {
  return fail(ec::unauthorized, "the token " + std::move(why));
}

// Of a token with three parts.
struct pieces {
  std::string_view signed_part;
  std::string header;
  std::string claims;
  std::string signature;
};

std::optional<pieces> take_apart(std::string_view token) {
  const auto first = token.find('.');
  const auto second =
      first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  auto header = from_base64url(token.substr(0, first));
  auto claims = from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!header || !claims || !signature)
    return std::nullopt;
  return pieces{token.substr(0, second), std::move(*header), std::move(*claims),
                std::move(*signature)};
}

// An object none of whose members is there twice.
std::optional<dom::object> read_object(dom::parser& parser,
                                       const std::string& text) {
  dom::object out;
  if (parser.parse(text).get(out) != simdjson::SUCCESS)
    return std::nullopt;
  if (codec::repeated_member(out))
    return std::nullopt;
  return out;
}

// A NumericDate, which may have a fraction.
std::optional<timestamp> read_time(dom::element value) {
  double seconds = 0;
  if (value.get(seconds) != simdjson::SUCCESS || !(seconds >= 0) ||
      seconds > max_seconds)
    return std::nullopt;
  return timestamp{std::chrono::microseconds{
      static_cast<int64_t>(std::floor(seconds * 1e6))}};
}

bool names_one_of(dom::element audience,
                  const std::vector<std::string>& wanted) {
  const auto is_wanted = [&wanted](dom::element e) {
    std::string_view name;
    return e.get(name) == simdjson::SUCCESS &&
           std::ranges::find(wanted, name) != wanted.end();
  };
  dom::array several;
  if (audience.get(several) != simdjson::SUCCESS)
    return is_wanted(audience);
  return std::ranges::any_of(several.begin(), several.end(), is_wanted);
}

void add_scopes(std::vector<scope>& out, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (auto one = parse_scope(text.substr(0, end)))
      out.push_back(std::move(*one));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<scope> read_scopes(const dom::object& claims,
                               const std::string& name) {
  std::vector<scope> out;
  dom::element claim;
  if (claims[name].get(claim) != simdjson::SUCCESS)
    return out;
  std::string_view text;
  dom::array several;
  if (claim.get(text) == simdjson::SUCCESS)
    add_scopes(out, text);
  else if (claim.get(several) == simdjson::SUCCESS)
    for (const auto one : several)
      if (one.get(text) == simdjson::SUCCESS)
        add_scopes(out, text);
  return out;
}

// exp, nbf; sets the principal's end.
expected<void> check_times(const dom::object& claims, timestamp now,
                           std::chrono::seconds leeway, principal& who) {
  dom::element claim;
  if (claims["exp"].get(claim) != simdjson::SUCCESS)
    return refuse("has no \"exp\"");
  const auto expires = read_time(claim);
  if (!expires)
    return refuse("has an \"exp\" that is no time");
  if (now >= *expires + leeway)
    return refuse("has expired");
  // A stream ends when the token says; the leeway is for who comes with one
  // that is over by our clock only.
  who.expires = now < *expires ? *expires : *expires + leeway;
  if (claims["nbf"].get(claim) == simdjson::SUCCESS) {
    const auto not_before = read_time(claim);
    if (!not_before)
      return refuse("has an \"nbf\" that is no time");
    if (now + leeway < *not_before)
      return refuse("is not valid yet");
  }
  return {};
}

expected<void> check_parties(const dom::object& claims,
                             const jwt_options& options) {
  std::string_view issuer;
  if (!options.issuer.empty() &&
      (claims["iss"].get(issuer) != simdjson::SUCCESS ||
       issuer != options.issuer))
    return refuse("is of another issuer");
  dom::element audience;
  if (!options.audiences.empty() &&
      (claims["aud"].get(audience) != simdjson::SUCCESS ||
       !names_one_of(audience, options.audiences)))
    return refuse("is for another audience");
  return {};
}

} // namespace

jwt_verifier::jwt_verifier(jwt_options options, std::vector<jwt_key> keys)
    : options_(std::move(options)), keys_(std::move(keys)) {}

const jwt_key* jwt_verifier::find_signer(const header& h,
                                         std::string_view message,
                                         std::string_view signature) const {
  // A key with an id is for tokens that name it, or that name none.
  const auto found = std::ranges::find_if(keys_, [&](const jwt_key& key) {
    return key.algorithm() == h.algorithm &&
           (key.id().empty() || h.key_id.empty() || key.id() == h.key_id) &&
           key.verify(message, signature);
  });
  return found == keys_.end() ? nullptr : &*found;
}

bool jwt_verifier::knows_key(std::string_view fingerprint) const {
  return std::ranges::find(keys_, fingerprint, &jwt_key::fingerprint) !=
         keys_.end();
}

expected<principal> jwt_verifier::verify(std::string_view token,
                                         timestamp now) const {
  if (token.size() > max_token)
    return refuse("is too long");
  const auto parts = take_apart(token);
  if (!parts)
    return refuse("is not well-formed");

  dom::parser header_parser;
  const auto head = read_object(header_parser, parts->header);
  std::string_view name;
  if (!head || (*head)["alg"].get(name) != simdjson::SUCCESS)
    return refuse("is not well-formed");
  const auto algorithm = parse_jws_algorithm(name);
  if (!algorithm)
    return refuse("is signed with an algorithm that is not accepted");
  dom::element unused;
  if ((*head)["crit"].get(unused) == simdjson::SUCCESS)
    return refuse("asks for an extension that is not known");
  header h{*algorithm, {}};
  if ((*head)["kid"].get(unused) == simdjson::SUCCESS) {
    if (unused.get(name) != simdjson::SUCCESS)
      return refuse("is not well-formed");
    h.key_id = name;
  }
  const auto* signer = find_signer(h, parts->signed_part, parts->signature);
  if (signer == nullptr)
    return refuse("has a signature that does not hold");

  // Nothing of the claims was looked at until here.
  dom::parser claims_parser;
  const auto claims = read_object(claims_parser, parts->claims);
  if (!claims)
    return refuse("is not well-formed");
  principal who;
  who.how = principal::kind::token;
  who.signer = signer->fingerprint();
  if (auto fine = check_times(*claims, now, options_.leeway, who); !fine)
    return fail(std::move(fine.error()));
  if (auto fine = check_parties(*claims, options_); !fine)
    return fail(std::move(fine.error()));
  if ((*claims)["sub"].get(name) == simdjson::SUCCESS)
    who.id = name;
  who.scopes = read_scopes(*claims, options_.scope_claim);
  if ((*claims)[options_.filter_claim].get(unused) == simdjson::SUCCESS) {
    auto forced = codec::parse_forced_filter(simdjson::minify(unused));
    if (!forced)
      return refuse("has a filter that can't be read");
    who.forced = std::move(*forced);
  }
  return who;
}

} // namespace eventweft::auth
