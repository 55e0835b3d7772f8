// SPDX-License-Identifier: Apache-2.0
#include "crypto/public_key.hpp"

#include "crypto/openssl.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <climits>

namespace eventweft::crypto {

/// OpenSSL's key, out of the header.
struct public_key::native {
  explicit native(EVP_PKEY* k) noexcept : key(k) {}
  ~native() { EVP_PKEY_free(key); }
  native(const native&) = delete;
  native& operator=(const native&) = delete;
  EVP_PKEY* key;
};

namespace {

// OPENSSL_free is a macro.
void free_bytes(unsigned char* p) noexcept {
  OPENSSL_free(p);
}
void free_chars(char* p) noexcept {
  OPENSSL_free(p);
}

using bignum = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using params = std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>>;
using builder = std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;
using pkey_ctx = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using ecdsa_sig = std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>>;
using der_bytes = std::unique_ptr<unsigned char, freed_by<free_bytes>>;
using chars = std::unique_ptr<char, freed_by<free_chars>>;

constexpr int min_rsa_bits = 2'048;
constexpr size_t coordinate_size = 32;

tl::unexpected<error> unusable(const char* why) {
  ERR_clear_error();
  return fail(ec::bad_configuration, why);
}

// r and s as JSON Web Signatures have them, to the DER that OpenSSL takes.
std::string to_der(std::string_view signature) {
  if (signature.size() != 2 * coordinate_size)
    return {};
  bignum r{BN_bin2bn(bytes_of(signature), coordinate_size, nullptr)};
  bignum s{BN_bin2bn(bytes_of(signature.substr(coordinate_size)),
                     coordinate_size, nullptr)};
  const ecdsa_sig sig{ECDSA_SIG_new()};
  if (!r || !s || !sig || ECDSA_SIG_set0(sig.get(), r.get(), s.get()) != 1)
    return {};
  // They belong to the signature now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &out);
  const der_bytes owned{out};
  if (size <= 0)
    return {};
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(size)};
}

EVP_PKEY* build(const char* type, OSSL_PARAM_BLD* from) {
  const params values{OSSL_PARAM_BLD_to_param(from)};
  const pkey_ctx ctx{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* out = nullptr;
  if (!values || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
      EVP_PKEY_fromdata(ctx.get(), &out, EVP_PKEY_PUBLIC_KEY, values.get()) !=
          1)
    return nullptr;
  return out;
}

// A point that is not on the curve, or a number that is no modulus.
bool makes_sense(EVP_PKEY* key) {
  const pkey_ctx ctx{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  return ctx && EVP_PKEY_public_check(ctx.get()) == 1;
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
                                        group.data(), group.size(),
                                        nullptr) == 1 &&
         std::string_view{group.data()} == SN_X9_62_prime256v1;
}

// Of one PEM block; null if it holds no public key.
EVP_PKEY* key_of_block(std::string_view name, const unsigned char* der,
                       long size) {
  if (name == PEM_STRING_PUBLIC)
    return d2i_PUBKEY(nullptr, &der, size);
  if (name == PEM_STRING_X509) {
    const x509 certificate{d2i_X509(nullptr, &der, size)};
    return certificate ? X509_get_pubkey(certificate.get()) : nullptr;
  }
  return nullptr;
}

} // namespace

expected<public_key> public_key::adopt(std::shared_ptr<const native> key) {
  if (key->key == nullptr || !makes_sense(key->key))
    return unusable("it is not a valid public key");
  switch (EVP_PKEY_get_base_id(key->key)) {
  case EVP_PKEY_RSA:
    if (EVP_PKEY_get_bits(key->key) < min_rsa_bits)
      return unusable("an RSA key has 2,048 bits or more");
    return public_key{kind::rsa, std::move(key)};
  case EVP_PKEY_EC:
    if (!is_p256(key->key))
      return unusable("of elliptic curves only P-256 is known");
    return public_key{kind::p256, std::move(key)};
  case EVP_PKEY_ED25519:
    return public_key{kind::ed25519, std::move(key)};
  default:
    return unusable("the key is neither RSA nor P-256 nor Ed25519");
  }
}

expected<std::vector<public_key>> public_key::from_pem(std::string_view text) {
  if (text.size() > INT_MAX)
    return unusable("too long");
  const bio in{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  std::vector<public_key> out;
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    const int got = PEM_read_bio(in.get(), &name, &header, &der, &size);
    const chars owned_name{name};
    const chars owned_header{header};
    const der_bytes owned_der{der};
    if (got != 1)
      break;
    if (std::string_view{name}.ends_with(PEM_STRING_PKCS8INF))
      return unusable("it holds a private key; give the public one");
    auto key =
        adopt(std::make_shared<const native>(key_of_block(name, der, size)));
    if (!key)
      return fail(std::move(key.error()));
    out.push_back(std::move(*key));
  }
  // The loop ends with "no start line", or with a block that is broken.
  const auto why = ERR_peek_last_error();
  const bool at_the_end = ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_the_end)
    return unusable("a PEM block is broken");
  if (out.empty())
    return unusable("there is no PUBLIC KEY or CERTIFICATE block");
  return out;
}

expected<public_key> public_key::rsa(std::string_view modulus,
                                     std::string_view exponent) {
  if (modulus.size() > 2'048 || exponent.size() > 8)
    return unusable("the RSA key is too large");
  const bignum n{
      BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr)};
  const bignum e{BN_bin2bn(bytes_of(exponent),
                           static_cast<int>(exponent.size()), nullptr)};
  const builder b{OSSL_PARAM_BLD_new()};
  if (!n || !e || !b ||
      OSSL_PARAM_BLD_push_BN(b.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(b.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return unusable("it is not a valid public key");
  return adopt(std::make_shared<const native>(build("RSA", b.get())));
}

expected<public_key> public_key::p256(std::string_view x, std::string_view y) {
  if (x.size() != coordinate_size || y.size() != coordinate_size)
    return unusable("a P-256 key has two coordinates of 32 bytes");
  std::string point{"\x04"};
  point.append(x).append(y);
  const builder b{OSSL_PARAM_BLD_new()};
  if (!b ||
      OSSL_PARAM_BLD_push_utf8_string(b.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      SN_X9_62_prime256v1, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(b.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       point.data(), point.size()) != 1)
    return unusable("it is not a valid public key");
  return adopt(std::make_shared<const native>(build("EC", b.get())));
}

expected<public_key> public_key::ed25519(std::string_view key) {
  auto* const raw = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                bytes_of(key), key.size());
  return adopt(std::make_shared<const native>(raw));
}

std::string public_key::info() const {
  unsigned char* out = nullptr;
  const int size = i2d_PUBKEY(key_->key, &out);
  const der_bytes owned{out};
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(size)};
}

bool public_key::verify(std::string_view message,
                        std::string_view signature) const {
  std::string der;
  if (kind_ == kind::p256) {
    der = to_der(signature);
    signature = der;
  }
  const md_ctx ctx{EVP_MD_CTX_new()};
  const EVP_MD* const hash = kind_ == kind::ed25519 ? nullptr : EVP_sha256();
  const bool holds =
      ctx && !signature.empty() &&
      EVP_DigestVerifyInit(ctx.get(), nullptr, hash, nullptr, key_->key) == 1 &&
      EVP_DigestVerify(ctx.get(), bytes_of(signature), signature.size(),
                       bytes_of(message), message.size()) == 1;
  // A signature that does not hold leaves its reason behind for whoever looks
  // at the thread's errors next.
  ERR_clear_error();
  return holds;
}

} // namespace eventweft::crypto
