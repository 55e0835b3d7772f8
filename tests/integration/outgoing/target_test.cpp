// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventweft::outgoing {
namespace {

TEST(parse_target, takes_a_url_apart) {
  const auto t = parse_target("https://Hooks.Example.COM./in/x?a=b%20c#frag");
  ASSERT_TRUE(t) << t.error().message;
  EXPECT_TRUE(t->origin.tls);
  EXPECT_EQ(t->origin.host, "hooks.example.com");
  EXPECT_EQ(t->origin.port, 443);
  EXPECT_EQ(t->path, "/in/x?a=b%20c");
  EXPECT_EQ(t->host_header, "hooks.example.com");
  EXPECT_FALSE(t->address);
}

TEST(parse_target, names_a_port_that_is_not_the_usual_one) {
  EXPECT_EQ(parse_target("http://a.example:8080")->host_header,
            "a.example:8080");
  EXPECT_EQ(parse_target("http://a.example:80")->host_header, "a.example");
  EXPECT_EQ(parse_target("http://a.example:65535")->origin.port, 65'535);
  EXPECT_EQ(parse_target("http://a.example:00080")->origin.port, 80);
  EXPECT_EQ(parse_target("http://a.example")->path, "/");
  EXPECT_EQ(parse_target("http://a.example?x")->path, "/?x");
}

TEST(parse_target, knows_addresses) {
  const auto v4 = parse_target("http://127.0.0.1:1/");
  ASSERT_TRUE(v4 && v4->address);
  EXPECT_TRUE(v4->address->is_loopback());
  const auto v6 = parse_target("http://[::FFFF:127.0.0.1]:1/");
  ASSERT_TRUE(v6 && v6->address) << v6.error().message;
  EXPECT_EQ(classify(*v6->address), address_class::translated);
  EXPECT_EQ(parse_target("https://[2606:4700::1]/")->host_header,
            "[2606:4700::1]");
}

class refused_urls : public testing::TestWithParam<const char*> {};

TEST_P(refused_urls, are_unprocessable) {
  const auto t = parse_target(GetParam());
  ASSERT_FALSE(t) << GetParam();
  EXPECT_EQ(t.error().code, ec::unprocessable);
  EXPECT_TRUE(t.error().message.starts_with("url: "));
}

INSTANTIATE_TEST_SUITE_P(
    all, refused_urls,
    testing::Values(
        "", "example.com", "/path", "//example.com/", "ftp://example.com/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "unix:/run/x",
        "http:example.com", "http://", "http:///path", "http://:80/",
        "http://user@example.com/", "http://user:pw@example.com/",
        "http://@example.com/", "http://example.com:0/",
        "http://example.com:65536/", "http://example.com:x/",
        // a number of 16 bits takes these for other ports
        "http://127.0.0.1:98509/", "http://example.com:65616/",
        "http://example.com:4294967376/",
        "http://example.com:18446744073709551696/",
        // other spellings of 127.0.0.1
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/",
        "http://0177.0.0.1/", "http://017700000001/", "http://127.1/",
        "http://127.0.1/", "http://0/", "http://127.0.0.01/",
        "http://127.0.0.1./", "http://127.0.0.1.example.com/",
        "http://1.2.3.4x?a", "http://0x/", "http://256.1.1.1/",
        "http://1.2.3.4.5/", "http://%31%32%37.0.0.1/", "http://127.0.0.0x1/",
        "http://example.0x7f/",
        // not names
        "http://a..b/", "http://.example/", "http://exa mple/",
        "http://ex%00ample/", "http://ex%2fample/", "http://\xc3\xa9.example/",
        "http://ⓛocalhost/", "http://[fe80::1%25lo]/", "http://[v1.x]/",
        "http://[::1/", "http://exa\r\nmple/", "http://a*b/"));

TEST(parse_target, has_limits) {
  EXPECT_FALSE(parse_target("http://a.example/" + std::string(2'048, 'x')));
  EXPECT_FALSE(parse_target("http://" + std::string(64, 'x') + ".example/"));
  std::string name;
  for (int i = 0; i < 64; ++i)
    name += "abc.";
  EXPECT_FALSE(parse_target("http://" + name + "example/"));
}

TEST(parse_target, decodes_a_name_before_it_looks_at_it) {
  const auto t = parse_target("http://%6cocalhost/");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->origin.host, "localhost");
}

} // namespace
} // namespace eventweft::outgoing
