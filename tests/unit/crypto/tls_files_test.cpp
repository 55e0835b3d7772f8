// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_files.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace eventweft::crypto {
namespace {

using outgoing::testing_support::temporary_file;
using outgoing::testing_support::test_ca;

class tls_files : public ::testing::Test {
 protected:
  /// Empty if the files are taken.
  static std::string fault(const std::string& certificate,
                           const std::string& key) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{
        SSL_CTX_new(TLS_method()), SSL_CTX_free};
    const auto shown =
        show_certificate(context.get(), {"cert", certificate}, {"key", key});
    if (shown)
      return {};
    EXPECT_EQ(shown.error().code, ec::bad_configuration);
    return shown.error().message;
  }

  test_ca ca_;
  const outgoing::testing_support::pem_pair own_ = ca_.issue("DNS:a");
  const temporary_file certificate_{own_.certificate};
  const temporary_file key_{own_.key};
};

TEST_F(tls_files, AreTakenApartOrAsOne) {
  EXPECT_EQ(fault(certificate_.path(), key_.path()), "");
  const temporary_file both{own_.certificate + own_.key};
  EXPECT_EQ(fault(both.path(), both.path()), "");
}

TEST_F(tls_files, ThatAreNoUseAreNamedWithWhatToMend) {
  const temporary_file text{"no PEM"};
  const temporary_file other{ca_.issue("DNS:b").key};
  EXPECT_EQ(fault("/nowhere/a.pem", key_.path()),
            "cert: /nowhere/a.pem: No such file or directory");
  EXPECT_EQ(fault(text.path(), key_.path()),
            "cert: " + text.path() +
                ": holds no readable certificate in PEM form");
  EXPECT_EQ(fault(certificate_.path(), "/nowhere/a.key"),
            "key: /nowhere/a.key: No such file or directory");
  for (const auto& none : {text.path(), certificate_.path()})
    EXPECT_EQ(fault(certificate_.path(), none),
              "key: " + none +
                  ": holds no readable private key in PEM form without a "
                  "passphrase");
  EXPECT_EQ(fault(certificate_.path(), other.path()),
            "key: " + other.path() + ": does not belong to the certificate");
}

} // namespace
} // namespace eventweft::crypto
