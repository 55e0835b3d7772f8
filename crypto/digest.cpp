// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include "crypto/openssl.hpp"
#include "messages/ascii.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace eventweft::crypto {

namespace {

using freed_mac = std::unique_ptr<EVP_MAC, freed_by<EVP_MAC_free>>;
using mac_ctx = std::unique_ptr<EVP_MAC_CTX, freed_by<EVP_MAC_CTX_free>>;

const char* name_of(hash algorithm) noexcept {
  switch (algorithm) {
  case hash::sha1:
    return "SHA1";
  case hash::sha256:
    return "SHA256";
  case hash::sha512:
    return "SHA512";
  }
  return "SHA256";
}

// Fetching an algorithm costs more than hashing a small body with it, so each
// thread keeps one context an algorithm, to be keyed anew for each use.
EVP_MAC_CTX* context_of(hash algorithm) {
  thread_local std::array<mac_ctx, 3> contexts;
  auto& slot = contexts[static_cast<size_t>(algorithm)];
  if (!slot) {
    const freed_mac hmac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
    mac_ctx fresh{hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr};
    std::string name = name_of(algorithm);
    const std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    if (!fresh || EVP_MAC_CTX_set_params(fresh.get(), params.data()) != 1)
      throw std::runtime_error("OpenSSL has no HMAC with " + name);
    slot = std::move(fresh);
  }
  return slot.get();
}

} // namespace

std::string hmac(hash algorithm, std::string_view key,
                 std::span<const std::string_view> parts) {
  auto* ctx = context_of(algorithm);
  // An empty key is given as one zero byte: OpenSSL reads "no key" as "the key
  // before", and HMAC pads with zeros anyway.
  static constexpr unsigned char zero = 0;
  const auto* key_bytes = key.empty() ? &zero : bytes_of(key);
  bool ok =
      EVP_MAC_init(ctx, key_bytes, key.empty() ? 1 : key.size(), nullptr) == 1;
  for (auto part : parts)
    ok = ok && EVP_MAC_update(ctx, bytes_of(part), part.size()) == 1;
  std::string out(EVP_MAX_MD_SIZE, '\0');
  size_t size = 0;
  ok = ok && EVP_MAC_final(ctx, bytes_of(out), &size, out.size()) == 1;
  if (!ok)
    throw std::runtime_error("OpenSSL could not compute an HMAC");
  out.resize(size);
  return out;
}

std::string digest(hash algorithm, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  size_t size = 0;
  if (EVP_Q_digest(nullptr, name_of(algorithm), nullptr, data.data(),
                   data.size(), bytes_of(out), &size) != 1)
    throw std::runtime_error("OpenSSL could not compute a digest");
  out.resize(size);
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool verify_ed25519(std::string_view public_key, std::string_view message,
                    std::string_view signature) noexcept {
  if (public_key.size() != 32 || signature.size() != 64)
    return false;
  const pkey key{EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, bytes_of(public_key), public_key.size())};
  const md_ctx ctx{EVP_MD_CTX_new()};
  return key && ctx &&
         EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr,
                              key.get()) == 1 &&
         EVP_DigestVerify(ctx.get(), bytes_of(signature), signature.size(),
                          bytes_of(message), message.size()) == 1;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(hex[byte >> 4]);
    out.push_back(hex[byte & 15]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return std::nullopt;
  std::string out(text.size() / 2, '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    const int value = hex_value(text[i]);
    if (value < 0)
      return std::nullopt;
    auto& byte = out[i / 2];
    byte = static_cast<char>((static_cast<unsigned char>(byte) << 4) | value);
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(bytes_of(out), bytes_of(bytes),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      value = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '+' || c == '-')
      value = 62;
    else if (c == '/' || c == '_')
      value = 63;
    else
      return std::nullopt;
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xff));
    }
  }
  // A single leftover sextet can't hold a byte.
  if (count == 6)
    return std::nullopt;
  return out;
}

} // namespace eventweft::crypto
