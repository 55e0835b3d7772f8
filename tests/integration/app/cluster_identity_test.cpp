// SPDX-License-Identifier: Apache-2.0
// What a node says of its own certificate.
#include "app/cluster_identity.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ringbuffer_sink.h>

#include <algorithm>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using outgoing::testing_support::temporary_file;
using outgoing::testing_support::test_ca;

TEST(ClusterIdentity, SaysOnceThatItsCertificateEndsAndThatItHas) {
  const test_ca ca;
  const auto pair = ca.issue("DNS:node-a", 30);
  const temporary_file certificate{pair.certificate}, key{pair.key},
      authority{ca.certificate()};
  config::cluster_settings settings;
  settings.certificate = certificate.path();
  settings.key = key.path();
  settings.ca = authority.path();
  const auto identity = cluster_identity::load(settings, "node-a");
  ASSERT_TRUE(identity) << identity.error().message;

  const auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(100);
  spdlog::logger log{"cluster", lines};
  const auto said = [&](const std::string& text) {
    return std::ranges::count_if(lines->last_formatted(), [&](const auto& l) {
      return l.find(text) != l.npos && l.find(certificate.path()) != l.npos;
    });
  };
  const auto now = system_clock{}.now();
  const auto day = 24h;
  for (int day_number = 0; day_number < 22; ++day_number)
    (*identity)->look(log, now + day_number * day);
  EXPECT_TRUE(lines->last_formatted().empty());
  for (int day_number = 24; day_number < 29; ++day_number)
    (*identity)->look(log, now + day_number * day);
  EXPECT_EQ(said("certificate ends at"), 1);
  EXPECT_EQ(said("certificate is over"), 0);
  for (int day_number = 31; day_number < 40; ++day_number)
    (*identity)->look(log, now + day_number * day);
  EXPECT_EQ(said("certificate ends at"), 1);
  EXPECT_EQ(said("certificate is over"), 1);
}

} // namespace
} // namespace eventweft
