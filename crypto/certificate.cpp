// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.hpp"

#include "crypto/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

namespace eventweft::crypto {

namespace {

using store = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_context =
    std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;

/// More than any real chain has.
constexpr size_t most_certificates = 64;
constexpr size_t largest_pem = 256u << 10;

struct stack_deleter {
  // The certificates belong to somebody else.
  void operator()(STACK_OF(X509) * s) const noexcept { sk_X509_free(s); }
};
using stack = std::unique_ptr<STACK_OF(X509), stack_deleter>;

std::vector<x509> read_certificates(std::string_view pem) {
  std::vector<x509> out;
  if (pem.size() > largest_pem)
    return out;
  const bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  while (in && out.size() < most_certificates) {
    x509 one{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    if (!one)
      break;
    out.push_back(std::move(one));
  }
  // The end of the text is an error to OpenSSL.
  ERR_clear_error();
  return out;
}

// No terminal is to be asked for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

pkey read_key(std::string_view pem) {
  if (pem.size() > largest_pem)
    return nullptr;
  const bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  pkey out{
      in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr)
         : nullptr};
  ERR_clear_error();
  return out;
}

timestamp end_of(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) {
    ERR_clear_error();
    return timestamp::max();
  }
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&parts)}};
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448 ? nullptr
                                                            : EVP_sha256();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// OpenSSL's code of what stands between a certificate and the roots; with no
/// purpose, whatever it is for.
int verdict(X509_STORE* trusted, X509* certificate, STACK_OF(X509) * between,
            std::optional<int> purpose) {
  const store_context context{X509_STORE_CTX_new()};
  if (!context ||
      X509_STORE_CTX_init(context.get(), trusted, certificate, between) != 1)
    return X509_V_ERR_OUT_OF_MEM;
  if (purpose && X509_STORE_CTX_set_purpose(context.get(), *purpose) != 1)
    return X509_V_ERR_INVALID_PURPOSE;
  if (X509_verify_cert(context.get()) == 1)
    return X509_V_OK;
  const int code = X509_STORE_CTX_get_error(context.get());
  return code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
}

std::string words_for(int code) {
  const std::string out{X509_verify_cert_error_string(code)};
  switch (code) {
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    return "it is not from an authority in ca (" + out + ")";
  default:
    return out;
  }
}

/// Empty if all is well.
std::string fault_of(const std::vector<x509>& chain,
                     const std::vector<x509>& roots, const std::string& name,
                     const std::vector<int>& purposes = {}) {
  const store trusted{X509_STORE_new()};
  const stack between{sk_X509_new_null()};
  if (!trusted || !between || chain.empty())
    return "no certificate";
  for (const auto& root : roots)
    X509_STORE_add_cert(trusted.get(), root.get());
  for (size_t i = 1; i < chain.size(); ++i)
    sk_X509_push(between.get(), chain[i].get());
  auto* own = chain[0].get();
  std::string out;
  if (const int code = verdict(trusted.get(), own, between.get(), {});
      code != X509_V_OK)
    out = words_for(code);
  // Whole names only: a wildcard would make one node another one.
  else if (X509_check_host(own, name.data(), name.size(),
                           X509_CHECK_FLAG_NO_WILDCARDS |
                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           nullptr) != 1)
    out = "it is not for the name " + name +
          (X509_get_ext_by_NID(own, NID_subject_alt_name, -1) < 0
               ? ": it has no subjectAltName, and its subject does not count"
               : "");
  else if (!std::ranges::all_of(purposes, [&](int purpose) {
             return verdict(trusted.get(), own, between.get(), purpose) ==
                    X509_V_OK;
           }))
    out = "it is not for both ends of a link: a node dials and is dialled, so "
          "an extendedKeyUsage must have serverAuth and clientAuth";
  ERR_clear_error();
  return out;
}

} // namespace

struct credentials::state {
  std::string certificate;
  std::string key_text;
  std::string authority;
  pkey key;
  std::vector<x509> roots;
  timestamp valid_until = timestamp::max();
};

expected<credentials> credentials::load(std::string_view certificate,
                                        std::string_view key,
                                        std::string_view authority,
                                        const std::string& name) {
  auto s = std::make_shared<state>();
  s->certificate = certificate;
  s->key_text = key;
  s->authority = authority;
  s->roots = read_certificates(authority);
  if (s->roots.empty())
    return fail(ec::bad_configuration,
                "ca: the file has no certificate that can be read");
  const auto chain = read_certificates(certificate);
  if (chain.empty())
    return fail(ec::bad_configuration,
                "certificate: the file has none that can be read");
  s->key = read_key(key);
  if (!s->key)
    return fail(ec::bad_configuration,
                "key: the file has none that can be read (without a "
                "passphrase)");
  const bool pair = X509_check_private_key(chain[0].get(), s->key.get()) == 1;
  ERR_clear_error();
  if (!pair)
    return fail(ec::bad_configuration,
                "key: it does not belong to the certificate");
  if (auto fault = fault_of(chain, s->roots, name,
                            {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT});
      !fault.empty())
    return fail(ec::bad_configuration, "certificate: " + fault);
  for (const auto& one : chain)
    s->valid_until = std::min(s->valid_until, end_of(*one));
  return credentials{std::move(s)};
}

timestamp credentials::valid_until() const noexcept {
  return state_->valid_until;
}

const std::string& credentials::certificate() const noexcept {
  return state_->certificate;
}

const std::string& credentials::key() const noexcept {
  return state_->key_text;
}

const std::string& credentials::authority() const noexcept {
  return state_->authority;
}

expected<std::string> credentials::sign(std::string_view text) const {
  const md_ctx context{EVP_MD_CTX_new()};
  auto* key = state_->key.get();
  size_t size = 0;
  std::string out;
  if (context &&
      EVP_DigestSignInit(context.get(), nullptr, digest_for(key), nullptr,
                         key) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, bytes(text), text.size()) ==
          1) {
    out.resize(size);
    if (EVP_DigestSign(context.get(),
                       reinterpret_cast<unsigned char*>(out.data()), &size,
                       bytes(text), text.size()) == 1) {
      out.resize(size);
      return out;
    }
  }
  ERR_clear_error();
  return fail(ec::internal, "the key can't sign");
}

expected<void> credentials::verify(std::string_view certificate,
                                   const std::string& name,
                                   std::string_view text,
                                   std::string_view signature) const {
  const auto refuse = [&](const std::string& why) -> expected<void> {
    return fail(ec::unauthorized,
                "the certificate of node " + name + ": " + why);
  };
  const auto chain = read_certificates(certificate);
  if (chain.empty())
    return refuse("there is none");
  if (auto fault = fault_of(chain, state_->roots, name); !fault.empty())
    return refuse(fault);
  auto* key = X509_get0_pubkey(chain[0].get());
  const md_ctx context{EVP_MD_CTX_new()};
  const bool good =
      key && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest_for(key), nullptr,
                           key) == 1 &&
      EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                       bytes(text), text.size()) == 1;
  ERR_clear_error();
  if (!good)
    return refuse("its key did not sign this");
  return {};
}

} // namespace eventweft::crypto
