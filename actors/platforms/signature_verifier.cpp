// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/signature_verifier.hpp"

#include <algorithm>
#include <deque>

namespace eventweft::platforms {

namespace {

std::optional<std::string> decode(digest_encoding encoding,
                                  std::string_view text) {
  return encoding == digest_encoding::hex ? crypto::from_hex(text)
                                          : crypto::from_base64(text);
}

bool token_holds(std::string_view key, std::string_view token) {
  // Comparing digests hides the token's length, too.
  return crypto::equal_constant_time(
      crypto::digest(crypto::hash::sha256, key),
      crypto::digest(crypto::hash::sha256, token));
}

bool same_place(const signature_scheme& a, const signature_scheme& b) noexcept {
  return a.header == b.header && a.query_parameter == b.query_parameter;
}

} // namespace

expected<signature_verifier>
signature_verifier::make(std::string platform,
                         std::vector<signature_scheme> schemes,
                         const config::platform_settings& settings) {
  signature_verifier out;
  out.platform_ = std::move(platform);
  out.allow_unsigned_ = settings.allow_unsigned;
  std::vector<bool> used(settings.secrets.size(), false);
  for (auto& scheme : schemes) {
    prepared p;
    if (settings.tolerance.count() > 0)
      scheme.time.tolerance = settings.tolerance;
    const bool is_token = scheme.algorithm == proof_algorithm::static_token;
    for (const auto& token : settings.tokens)
      if (is_token && !token.empty())
        p.keys.push_back(token);
    // Without tokens of their own, the secrets stand for them.
    const bool takes_secrets = !is_token || p.keys.empty();
    const auto belongs_elsewhere = [&](std::string_view secret) {
      return is_token &&
             std::any_of(schemes.begin(), schemes.end(), [&](const auto& s) {
               return !s.secret_prefix.empty() &&
                      secret.starts_with(s.secret_prefix);
             });
    };
    for (size_t i = 0; i < settings.secrets.size(); ++i) {
      auto key = takes_secrets && !belongs_elsewhere(settings.secrets[i])
                     ? decode_secret(scheme, settings.secrets[i])
                     : std::nullopt;
      used[i] = used[i] || key || settings.secrets[i].empty();
      if (key)
        p.keys.push_back(std::move(*key));
    }
    p.scheme = scheme;
    out.schemes_.push_back(std::move(p));
  }
  const auto is_token = [](const auto& s) {
    return s.algorithm == proof_algorithm::static_token;
  };
  const bool has_tokens =
      std::any_of(settings.tokens.begin(), settings.tokens.end(),
                  [](const auto& token) { return !token.empty(); });
  if (has_tokens && std::none_of(schemes.begin(), schemes.end(), is_token))
    return fail(ec::bad_configuration,
                "[platforms." + out.platform_ +
                    "] tokens: this platform's webhooks are proven by a "
                    "secret, never by a token: use secrets");
  if (settings.tolerance.count() > 0 &&
      std::none_of(schemes.begin(), schemes.end(), [](const auto& s) {
        return s.time.from != timestamp_rule::origin::none;
      }))
    return fail(ec::bad_configuration,
                "[platforms." + out.platform_ +
                    "] tolerance: is of no use, since this platform's webhooks "
                    "carry no signed time that could be checked: leave it out");
  const bool only_tokens =
      has_tokens && std::all_of(schemes.begin(), schemes.end(), is_token);
  for (size_t i = 0; i < used.size(); ++i)
    if (!used[i])
      return fail(ec::bad_configuration,
                  "[platforms." + out.platform_ + "] secrets: " +
                      (only_tokens
                           ? "are of no use beside tokens: senders of this "
                             "platform show one, and sign nothing"
                           : "entry " + std::to_string(i + 1) +
                                 " is not a secret of this platform's form"));
  return out;
}

bool signature_verifier::has_keys() const noexcept {
  return std::any_of(schemes_.begin(), schemes_.end(),
                     [](const auto& p) { return !p.keys.empty(); });
}

std::string signature_verifier::challenge() const {
  const auto place = [](const signature_scheme& s) {
    return s.algorithm != proof_algorithm::static_token ? "Signature"
           : s.header == "authorization"                ? "Bearer"
                                                        : "Token";
  };
  // The query of a URL is no place to point to.
  std::vector<std::string_view> kinds;
  for (const auto& p : schemes_)
    if (const std::string_view kind = place(p.scheme);
        !p.scheme.header.empty() &&
        std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      kinds.push_back(kind);
  std::string out;
  for (const auto kind : kinds) {
    out += out.empty() ? "" : ", ";
    out += kind;
    out += kind == "Bearer" ? R"( realm="eventweft")"
                            : R"( realm="eventweft/)" + platform_ + '"';
  }
  return out;
}

expected<bool> signature_verifier::verify(request& r, timestamp now) const {
  if (!has_keys()) {
    if (allow_unsigned_)
      return false;
    return fail(ec::unauthorized,
                "no secret is configured for " + platform_ +
                    ", so its webhooks are refused (platforms." + platform_ +
                    ".secrets, or allow_unsigned = true to take them without "
                    "proof)");
  }
  for (const auto& first : schemes_) {
    const auto& s = first.scheme;
    std::optional<std::string> parameter;
    std::optional<std::string_view> value;
    if (!s.header.empty()) {
      value = r.header(s.header);
    } else {
      parameter = r.query(s.query_parameter);
      if (parameter)
        value = *parameter;
    }
    if (!value)
      continue;
    if (value->empty() || value->size() > max_header_value)
      return fail(ec::unauthorized, place_of(s) + " is empty or longer than " +
                                        std::to_string(max_header_value) +
                                        " bytes");
    std::optional<error> why;
    for (const auto& p : schemes_) {
      if (!same_place(p.scheme, s))
        continue;
      auto checked = check(p, r, *value, now);
      if (checked)
        return true;
      // Of several, the scheme whose signature was there at all explains.
      if (!why || !parse_signature(p.scheme, *value).candidates.empty())
        why = std::move(checked.error());
    }
    return fail(std::move(*why));
  }
  for (const auto& p : schemes_)
    for (const auto& [header, sentence] : p.scheme.refused)
      if (r.header(header))
        return fail(ec::unauthorized, sentence);
  std::string places;
  for (size_t i = 0; i < schemes_.size(); ++i) {
    const auto& s = schemes_[i].scheme;
    const auto end = schemes_.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(schemes_.begin(), end,
                    [&](const auto& p) { return same_place(p.scheme, s); }))
      continue;
    places += (places.empty() ? "" : " or ") + place_of(s);
  }
  return fail(ec::unauthorized, "no proof: " + places + " is missing");
}

expected<void> signature_verifier::check(const prepared& p, request& r,
                                         std::string_view value,
                                         timestamp now) const {
  const auto& s = p.scheme;
  const auto parsed = parse_signature(s, value);
  if (parsed.candidates.empty())
    return fail(ec::unauthorized, place_of(s) + " is not of the form that " +
                                      platform_ + " sends");
  if (p.keys.empty())
    return fail(ec::unauthorized,
                "no secret is configured for the proof in " + place_of(s));
  if (s.algorithm == proof_algorithm::static_token) {
    for (const auto& c : parsed.candidates)
      for (const auto& key : p.keys)
        if (token_holds(key, c.text))
          return {};
    return fail(ec::unauthorized, "the token in " + place_of(s) + " is wrong");
  }
  for (const auto& header : s.without_dots)
    if (r.header(header).value_or("").find('.') != std::string_view::npos)
      return fail(ec::unauthorized,
                  "header " + display_name(header) + " holds a '.'");
  if (s.time.from == timestamp_rule::origin::signature &&
      parsed.timestamp.empty())
    return fail(ec::unauthorized,
                place_of(s) + ": " + s.time.name + " is missing");
  std::deque<std::string> storage;
  const auto pieces = s.base.pieces(r, parsed.timestamp, storage);
  if (!pieces)
    return fail(pieces.error());
  std::vector<std::pair<proof_algorithm, std::string>> signatures;
  for (const auto& c : parsed.candidates)
    if (auto bytes = decode(s.encoding, c.text))
      signatures.emplace_back(c.algorithm, std::move(*bytes));
  std::string whole;
  if (s.algorithm == proof_algorithm::ed25519)
    for (auto piece : *pieces)
      whole.append(piece);
  for (const auto& key : p.keys) {
    // One digest serves all candidates: the sender chooses their number.
    std::optional<std::pair<proof_algorithm, std::string>> digest;
    for (const auto& [algorithm, signature] : signatures) {
      bool holds = false;
      if (algorithm == proof_algorithm::ed25519) {
        holds = crypto::verify_ed25519(key, whole, signature);
      } else {
        if (!digest || digest->first != algorithm)
          digest.emplace(algorithm,
                         crypto::hmac(hash_of(algorithm), key, *pieces));
        holds = crypto::equal_constant_time(digest->second, signature);
      }
      if (holds)
        return check_timestamp(s, r, parsed.timestamp, now);
    }
  }
  if (signatures.empty())
    return fail(
        ec::unauthorized,
        "the signature in " + place_of(s) + " is not " +
            (s.encoding == digest_encoding::hex ? "hexadecimal" : "base64"));
  return fail(ec::unauthorized,
              "the signature in " + place_of(s) + " does not match the body");
}

} // namespace eventweft::platforms
