// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscription_rules.hpp"

#include "delivery/message.hpp"
#include "delivery/signature.hpp"

#include <utility>

namespace eventweft {

namespace {

constexpr size_t most_secrets = 5;

/// Each type has schemes of its own.
expected<void> check_scheme(const subscription& s) {
  const auto scheme = s.url.substr(0, s.url.find("://"));
  const bool fits = s.type == subscription_type::webhook
                        ? scheme != "nats" && scheme != "kafka"
                        : scheme == to_string(s.type);
  if (!fits)
    return fail(ec::unprocessable, "url: the scheme does not fit the type " +
                                       std::string{to_string(s.type)});
  return {};
}

/// A secret that the client gave, or one that is made.
expected<std::string> secret_for(const std::string& given, bool asymmetric,
                                 random_source& random) {
  if (given.empty())
    return asymmetric ? delivery::signing_key::make_asymmetric(random).text()
                      : delivery::signing_key::make_symmetric(random).text();
  auto key = delivery::signing_key::parse(given);
  if (!key)
    return fail(key.error());
  return given;
}

/// A new secret before the ones that there are, which go on beside it.
expected<std::string> rotate_secret(subscription& s, const std::string& given,
                                    random_source& random) {
  if (s.type != subscription_type::webhook)
    return fail(ec::unprocessable, "secret: only webhooks are signed");
  const bool asymmetric =
      !s.secrets.empty() && s.secrets.front().starts_with("whsk_");
  auto made = secret_for(given, asymmetric, random);
  if (!made)
    return made;
  std::erase(s.secrets, *made);
  s.secrets.insert(s.secrets.begin(), *made);
  if (s.secrets.size() > most_secrets)
    s.secrets.resize(most_secrets);
  return made;
}

} // namespace

expected<settled_subscription>
make_subscription(const new_subscription& wanted,
                  const std::set<subscription_type>& types, timestamp now,
                  random_source& random) {
  settled_subscription out;
  out.what = wanted.what;
  auto& s = out.what;
  if (!types.contains(s.type))
    return fail(ec::unprocessable, "type: this program was built without " +
                                       std::string{to_string(s.type)});
  if (auto ok = check_scheme(s); !ok)
    return fail(ok.error());
  if (auto ok = delivery::check_custom_headers(s.headers); !ok)
    return fail(ok.error());
  if (s.type == subscription_type::webhook) {
    auto made = secret_for(wanted.secret, wanted.asymmetric, random);
    if (!made)
      return fail(made.error());
    out.new_secret = std::move(*made);
    s.secrets = {out.new_secret};
  } else if (!wanted.secret.empty() || wanted.asymmetric) {
    return fail(ec::unprocessable,
                std::string{wanted.asymmetric ? "signature" : "secret"} +
                    ": only webhooks are signed");
  }
  s.created_at = now;
  s.id = uuid::v7(now, random);
  s.disabled_reason.clear();
  return out;
}

expected<settled_subscription>
changed_subscription(subscription s, const subscription_change& change,
                     random_source& random) {
  std::string secret;
  if (change.headers) {
    if (auto ok = delivery::check_custom_headers(*change.headers); !ok)
      return fail(ok.error());
    s.headers = *change.headers;
  }
  if (change.rotate_secret) {
    auto made = rotate_secret(s, change.secret, random);
    if (!made)
      return fail(made.error());
    secret = std::move(*made);
  }
  if (change.drop_old_secrets && s.secrets.size() > 1)
    s.secrets.resize(1);
  s.subscriber_id = change.subscriber_id.value_or(s.subscriber_id);
  s.url = change.url.value_or(s.url);
  if (auto ok = check_scheme(s); !ok)
    return fail(ok.error());
  s.filter = change.filter.value_or(s.filter);
  s.format = change.format.value_or(s.format);
  s.ordered = change.ordered.value_or(s.ordered);
  s.max_concurrent = change.max_concurrent.value_or(s.max_concurrent);
  s.rate_per_second = change.rate_per_second.value_or(s.rate_per_second);
  if (change.active) {
    s.active = *change.active;
    s.disabled_reason.clear();
  }
  return settled_subscription{std::move(s), std::move(secret)};
}

std::vector<std::string> public_keys_of(const subscription& s) {
  std::vector<std::string> out;
  for (const auto& secret : s.secrets)
    if (const auto key = delivery::signing_key::parse(secret))
      if (auto text = key->public_text(); !text.empty())
        out.push_back(std::move(text));
  return out;
}

} // namespace eventweft
