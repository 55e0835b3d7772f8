// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace eventweft::outgoing::testing_support {

namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using pkey = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509 = std::unique_ptr<X509, freed_by<X509_free>>;
using bio = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension =
    std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

constexpr long day = 24 * 60 * 60;

void need(bool ok) {
  if (!ok)
    throw std::runtime_error("OpenSSL could not make a test certificate");
}

std::string text_of(const bio& b) {
  char* data = nullptr;
  const auto size = BIO_ctrl(b.get(), BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<size_t>(size)};
}

std::string pem_of(X509& certificate) {
  bio out{BIO_new(BIO_s_mem())};
  need(PEM_write_bio_X509(out.get(), &certificate) == 1);
  return text_of(out);
}

std::string pem_of(EVP_PKEY& key) {
  bio out{BIO_new(BIO_s_mem())};
  need(PEM_write_bio_PrivateKey(out.get(), &key, nullptr, nullptr, 0, nullptr,
                                nullptr) == 1);
  return text_of(out);
}

bio reading(const std::string& text) {
  return bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

x509 blank(EVP_PKEY& key, const std::string& name, int days) {
  x509 out{X509_new()};
  X509_set_version(out.get(), 2);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -2 * day);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), day * days);
  X509_set_pubkey(out.get(), &key);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return out;
}

void extend(X509& certificate, int nid, const std::string& value) {
  extension e{X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str())};
  need(e && X509_add_ext(&certificate, e.get(), -1) == 1);
}

} // namespace

test_ca::test_ca() {
  pkey key{EVP_EC_gen("P-256")};
  need(key != nullptr);
  auto certificate = blank(*key, "eventweft test CA", 30);
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(certificate.get()));
  extend(*certificate, NID_basic_constraints, "critical,CA:TRUE");
  need(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  ca_ = {pem_of(*certificate), pem_of(*key)};
}

pem_pair test_ca::issue(const std::string& names, int days,
                        const std::string& usage) const {
  const x509 issuer{PEM_read_bio_X509(reading(ca_.certificate).get(), nullptr,
                                      nullptr, nullptr)};
  const pkey issuer_key{PEM_read_bio_PrivateKey(reading(ca_.key).get(), nullptr,
                                                nullptr, nullptr)};
  pkey key{EVP_EC_gen("P-256")};
  need(issuer && issuer_key && key);
  auto certificate = blank(*key, "leaf", days);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  if (!names.empty())
    extend(*certificate, NID_subject_alt_name, names);
  if (!usage.empty())
    extend(*certificate, NID_ext_key_usage, usage);
  need(X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0);
  return {pem_of(*certificate), pem_of(*key)};
}

temporary_file::temporary_file(const std::string& text) {
  auto name =
      (std::filesystem::temp_directory_path() / "eventweft-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0)
    throw std::runtime_error("no temporary file");
  ::close(fd);
  path_ = name;
  std::ofstream{path_} << text;
}

temporary_file::~temporary_file() {
  std::remove(path_.c_str());
}

} // namespace eventweft::outgoing::testing_support
