// SPDX-License-Identifier: Apache-2.0
#include "auth/authenticator.hpp"

#include "messages/ascii.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

constexpr std::string_view scheme = "bearer";

} // namespace

authenticator::authenticator(std::shared_ptr<const key_ring> keys,
                             std::shared_ptr<const jwt_verifier> tokens)
    : keys_(std::move(keys)), tokens_(std::move(tokens)) {}

void authenticator::replace_tokens(std::shared_ptr<const jwt_verifier> tokens) {
  const std::lock_guard lock{mutex_};
  tokens_.swap(tokens);
}

std::shared_ptr<const jwt_verifier> authenticator::tokens() const {
  const std::lock_guard lock{mutex_};
  return tokens_;
}

expected<principal> authenticator::authenticate(std::string_view header,
                                                timestamp now) const {
  const auto token = bearer_token(header);
  if (token.empty())
    return fail(ec::unauthorized,
                header.empty()
                    ? "credentials are needed: Authorization: Bearer …"
                    : "Authorization is not \"Bearer\" and a key or token");
  return verify(token, now);
}

expected<principal> authenticator::verify(std::string_view token,
                                          timestamp now) const {
  if (looks_like_api_key(token))
    return keys_->verify(token, now);
  if (const auto verifier = tokens())
    return verifier->verify(token, now);
  return fail(ec::unauthorized, "the credentials are not an API key");
}

bool authenticator::knows_signer(std::string_view fingerprint) const {
  const auto verifier = tokens();
  return verifier && verifier->knows_key(fingerprint);
}

std::string_view bearer_token(std::string_view header) noexcept {
  if (header.size() <= scheme.size() ||
      !std::ranges::equal(header.substr(0, scheme.size()), scheme, {}, lower))
    return {};
  header.remove_prefix(scheme.size());
  const auto start = header.find_first_not_of(' ');
  // At least one space parts them; nothing comes after the token.
  if (start == 0 || start == std::string_view::npos)
    return {};
  header.remove_prefix(start);
  return header.find_first_of(" \t,") == std::string_view::npos
             ? header
             : std::string_view{};
}

} // namespace eventweft::auth
