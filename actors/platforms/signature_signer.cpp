// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/signature_signer.hpp"

#include "actors/platforms/request.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace eventweft::platforms {

namespace {

using origin = timestamp_rule::origin;

std::string time_text(timestamp_rule::unit unit, timestamp now) {
  const auto since = now.time_since_epoch();
  switch (unit) {
  case timestamp_rule::unit::milliseconds:
    return std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  case timestamp_rule::unit::rfc3339:
    return to_rfc3339(now);
  default:
    return std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(since).count());
  }
}

/// Whether a secret is meant for another scheme than a token's, by its prefix.
bool is_of_another(const std::vector<signature_scheme>& schemes,
                   std::string_view secret) {
  return std::ranges::any_of(schemes, [&](const auto& s) {
    return !s.secret_prefix.empty() && secret.starts_with(s.secret_prefix);
  });
}

void set_header(webhook& w, std::string_view name, std::string value) {
  if (find_header(w.headers, name) == nullptr)
    w.headers.emplace_back(name, std::move(value));
}

void place(const signature_scheme& s, std::string value, webhook& w) {
  if (!s.header.empty())
    w.headers.emplace_back(s.header, std::move(value));
  else
    w.query += (w.query.empty() ? "" : "&") + s.query_parameter + '=' + value;
}

expected<void> sign_with(const signature_scheme& s, std::string_view key,
                         std::string_view id, timestamp now, webhook& w) {
  if (s.algorithm == proof_algorithm::static_token) {
    place(s, write_signature(s, key, {}), w);
    return {};
  }
  const auto time = time_text(s.time.in, now);
  if (s.time.from == origin::header)
    set_header(w, s.time.name, time);
  for (const auto header : s.base.headers())
    set_header(w, header, std::string{id});
  request r{w};
  std::deque<std::string> storage;
  const auto pieces = s.base.pieces(r, time, storage);
  if (!pieces)
    return fail(ec::unprocessable,
                "what is to be signed is not there: " + pieces.error().message);
  const auto digest = crypto::hmac(hash_of(s.algorithm), key, *pieces);
  place(s,
        write_signature(s,
                        s.encoding == digest_encoding::hex
                            ? crypto::to_hex(digest)
                            : crypto::to_base64(digest),
                        time),
        w);
  return {};
}

/// Whether one of them says something without any more headers.
bool is_said(const alternatives& all, const webhook& w) {
  request r{w};
  r.form_as_object();
  return std::ranges::any_of(all.templates, [&](const auto& t) {
    const auto text = t.render(r);
    // A digest alone tells no delivery from another one.
    return t.source() != "{digest}" && text && !text->empty();
  });
}

} // namespace

std::string write_signature(const signature_scheme& scheme,
                            std::string_view signature,
                            std::string_view timestamp) {
  std::string out;
  switch (scheme.format) {
  case header_format::plain:
  case header_format::prefix:
  case header_format::space_list:
  case header_format::comma_list:
    out.append(scheme.prefix);
    break;
  case header_format::pairs:
    if (scheme.time.from == origin::signature)
      out.append(scheme.time.name).append("=").append(timestamp).append(",");
    out.append(scheme.prefix).append("=");
    break;
  case header_format::algorithm_prefix:
    out.append(to_string(scheme.algorithm)).append("=");
    break;
  }
  return out.append(signature);
}

expected<void> sign(const std::vector<signature_scheme>& schemes,
                    std::string_view secret, std::string_view id, timestamp now,
                    webhook& w) {
  bool only_verifies = false;
  for (const auto& s : schemes) {
    const bool is_token = s.algorithm == proof_algorithm::static_token;
    if (is_token && is_of_another(schemes, secret))
      continue;
    const auto key = decode_secret(s, secret);
    if (!key)
      continue;
    // What is configured is the public key; the private one is the platform's.
    if (s.algorithm == proof_algorithm::ed25519) {
      only_verifies = true;
      continue;
    }
    return sign_with(s, *key, id, now, w);
  }
  return fail(ec::unprocessable,
              only_verifies
                  ? "the platform signs with a private key (Ed25519) that "
                    "nobody else has; its webhooks can't be made here"
                  : "the secret is not of the platform's form");
}

expected<void> fill_headers(const platform_definition& definition,
                            std::string_view id, std::string_view type,
                            webhook& w) {
  if (!is_said(definition.event_id, w))
    for (const auto& t : definition.event_id.templates)
      if (const auto names = t.headers(); !names.empty()) {
        for (const auto name : names)
          set_header(w, name, std::string{id});
        break;
      }
  bool named = false;
  for (const auto& t : definition.event_type.templates)
    for (const auto name : t.headers()) {
      named = true;
      if (!type.empty())
        set_header(w, name, std::string{type});
    }
  if (named && type.empty() && !is_said(definition.event_type, w))
    return fail(ec::unprocessable, "the event's type is needed: it is in " +
                                       definition.event_type.describe());
  return {};
}

} // namespace eventweft::platforms
