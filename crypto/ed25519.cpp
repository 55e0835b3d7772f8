// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.hpp"

#include "crypto/openssl.hpp"

#include <stdexcept>

namespace eventweft::crypto {

namespace {

constexpr size_t key_size = 32;
constexpr size_t signature_size = 64;

pkey load(std::string_view seed) {
  if (seed.size() != key_size)
    return nullptr;
  return pkey{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                           bytes_of(seed), seed.size())};
}

} // namespace

std::optional<std::string> ed25519_public_key(std::string_view seed) {
  const auto key = load(seed);
  if (!key)
    return std::nullopt;
  std::string out(key_size, '\0');
  size_t size = out.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), bytes_of(out), &size) != 1)
    throw std::runtime_error("OpenSSL has no Ed25519");
  return out;
}

std::optional<std::string> sign_ed25519(std::string_view seed,
                                        std::string_view message) {
  const auto key = load(seed);
  if (!key)
    return std::nullopt;
  const md_ctx ctx{EVP_MD_CTX_new()};
  std::string out(signature_size, '\0');
  size_t size = out.size();
  if (!ctx ||
      EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key.get()) !=
          1 ||
      EVP_DigestSign(ctx.get(), bytes_of(out), &size, bytes_of(message),
                     message.size()) != 1)
    throw std::runtime_error("OpenSSL could not sign with Ed25519");
  return out;
}

} // namespace eventweft::crypto
