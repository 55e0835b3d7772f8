// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::crypto {
namespace {

using outgoing::testing_support::test_ca;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class credentials_test : public ::testing::Test {
 protected:
  credentials load(const std::string& name) {
    const auto pair = ca.issue("DNS:" + name);
    return credentials::load(pair.certificate, pair.key, ca.certificate(), name)
        .value();
  }

  std::string fault(const std::string& certificate, const std::string& key,
                    const std::string& authority, const std::string& name) {
    const auto out = credentials::load(certificate, key, authority, name);
    if (out)
      return "none";
    EXPECT_EQ(out.error().code, ec::bad_configuration);
    return out.error().message;
  }

  test_ca ca;
};

TEST_F(credentials_test, ANodeProvesWhoItIs) {
  const auto a = load("node-a"), b = load("node-b");
  const auto signature = b.sign("text").value();
  EXPECT_TRUE(a.verify(b.certificate(), "node-b", "text", signature));
}

TEST_F(credentials_test, WhatIsNotTheNodesIsRefused) {
  const auto a = load("node-a"), b = load("node-b");
  const auto signature = b.sign("text").value();
  const auto refused = [&](const std::string& certificate,
                           const std::string& name, const std::string& text,
                           const std::string& s) {
    const auto out = a.verify(certificate, name, text, s);
    EXPECT_FALSE(out);
    EXPECT_EQ(out.error().code, ec::unauthorized);
    return out.error().message;
  };
  // A right certificate with a wrong name.
  EXPECT_THAT(refused(b.certificate(), "node-c", "text", signature),
              HasSubstr("not for the name node-c"));
  EXPECT_THAT(refused(b.certificate(), "node-b", "other", signature),
              HasSubstr("did not sign"));
  EXPECT_THAT(refused(a.certificate(), "node-a", "text", signature),
              HasSubstr("did not sign"));
  EXPECT_THAT(refused(b.certificate(), "node-b", "text", ""),
              HasSubstr("did not sign"));
  EXPECT_THAT(refused("rubbish", "node-b", "text", signature),
              HasSubstr("there is none"));
  // From another authority, and past its time.
  const test_ca other;
  const auto foreign = other.issue("DNS:node-b");
  EXPECT_THAT(refused(foreign.certificate, "node-b", "text", signature),
              HasSubstr("signature failure"));
  const auto old = ca.issue("DNS:node-b", -1);
  EXPECT_THAT(refused(old.certificate, "node-b", "text", signature),
              HasSubstr("expired"));
  // One name for all nodes is none.
  const auto wild = ca.issue("DNS:*.hub");
  EXPECT_THAT(refused(wild.certificate, "node-b.hub", "text", signature),
              HasSubstr("not for the name"));
}

// A node dials some peers and is dialled by others.
TEST_F(credentials_test, ACertificateForOneEndOnlyIsRefused) {
  const auto load_with = [&](const std::string& usage) {
    const auto pair = ca.issue("DNS:node-a", 30, usage);
    return fault(pair.certificate, pair.key, ca.certificate(), "node-a");
  };
  EXPECT_EQ(load_with("serverAuth,clientAuth"), "none");
  for (const auto* usage : {"serverAuth", "clientAuth", "codeSigning"})
    EXPECT_THAT(load_with(usage),
                StartsWith("certificate: it is not for both ends"))
        << usage;
}

TEST_F(credentials_test, ACertificateWithoutNamesIsToldWhatItLacks) {
  const auto pair = ca.issue("");
  EXPECT_THAT(fault(pair.certificate, pair.key, ca.certificate(), "leaf"),
              HasSubstr("no subjectAltName"));
}

TEST_F(credentials_test, FilesThatDoNotFitTogetherAreNamed) {
  const auto a = ca.issue("DNS:node-a"), b = ca.issue("DNS:node-b");
  const auto& root = ca.certificate();
  EXPECT_EQ(fault(a.certificate, a.key, root, "node-a"), "none");
  EXPECT_THAT(fault(a.certificate, b.key, root, "node-a"),
              StartsWith("key: it does not belong"));
  EXPECT_THAT(fault(a.certificate, "rubbish", root, "node-a"),
              StartsWith("key: the file"));
  EXPECT_THAT(fault("", a.key, root, "node-a"),
              StartsWith("certificate: the file"));
  EXPECT_THAT(fault(a.certificate, a.key, "", "node-a"),
              StartsWith("ca: the file"));
  EXPECT_THAT(fault(a.certificate, a.key, root, "node-b"),
              StartsWith("certificate: it is not for the name node-b"));
  EXPECT_THAT(fault(a.certificate, a.key, test_ca{}.certificate(), "node-a"),
              StartsWith("certificate: it is not from an authority in ca ("));
}

} // namespace
} // namespace eventweft::crypto
