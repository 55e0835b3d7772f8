// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventweft::outgoing {
namespace {

using boost::asio::ip::make_address;

struct row {
  const char* address;
  address_class is;
  /// With allow_private_networks.
  bool behind_switch;
};

class addresses : public testing::TestWithParam<row> {};

TEST_P(addresses, are_classified) {
  const auto& [text, is, behind_switch] = GetParam();
  const auto address = make_address(text);
  EXPECT_EQ(to_string(classify(address)), to_string(is)) << text;
  EXPECT_EQ(address_policy{}.permits(address), is == address_class::global)
      << text;
  EXPECT_EQ((address_policy{true, {}}.permits(address)), behind_switch) << text;
}

using enum address_class;

INSTANTIATE_TEST_SUITE_P(
    v4, addresses,
    testing::Values(
        row{"8.8.8.8", global, true}, row{"1.0.0.0", global, true},
        row{"223.255.255.255", global, true},
        row{"0.0.0.0", unspecified, false},
        row{"0.255.255.255", unspecified, false},
        row{"9.255.255.255", global, true}, row{"10.0.0.0", private_use, true},
        row{"10.255.255.255", private_use, true}, row{"11.0.0.0", global, true},
        row{"100.63.255.255", global, true}, row{"100.64.0.0", cgnat, true},
        row{"100.127.255.255", cgnat, true}, row{"100.128.0.0", global, true},
        row{"100.100.100.200", metadata, false},
        row{"127.0.0.1", loopback, true},
        row{"127.255.255.254", loopback, true}, row{"128.0.0.1", global, true},
        row{"168.63.129.16", metadata, false},
        row{"169.253.255.255", global, true},
        row{"169.254.0.1", link_local, true},
        row{"169.254.169.254", metadata, false},
        row{"169.254.170.2", metadata, false},
        row{"172.15.255.255", global, true},
        row{"172.16.0.0", private_use, true},
        row{"172.31.255.255", private_use, true},
        row{"172.32.0.0", global, true}, row{"192.0.0.8", reserved, false},
        row{"192.0.0.192", metadata, false}, row{"192.0.2.1", reserved, false},
        row{"192.88.99.1", reserved, false},
        row{"192.167.255.255", global, true},
        row{"192.168.0.1", private_use, true}, row{"192.169.0.0", global, true},
        row{"198.18.0.1", reserved, false},
        row{"198.19.255.255", reserved, false}, row{"198.20.0.0", global, true},
        row{"198.51.100.7", reserved, false},
        row{"203.0.113.7", reserved, false}, row{"224.0.0.1", multicast, false},
        row{"239.255.255.255", multicast, false},
        row{"240.0.0.1", reserved, false},
        row{"255.255.255.255", reserved, false}));

INSTANTIATE_TEST_SUITE_P(
    v6, addresses,
    testing::Values(
        row{"2606:4700:4700::1111", global, true},
        row{"2a00:1450::1", global, true}, row{"::", unspecified, false},
        row{"::1", loopback, true}, row{"fc00::1", private_use, true},
        row{"fdff::1", private_use, true}, row{"fec0::1", private_use, true},
        row{"fd00:ec2::254", metadata, false},
        row{"fd20:ce::254", metadata, false}, row{"fe80::1", link_local, true},
        row{"febf::1", link_local, true}, row{"ff02::1", multicast, false},
        row{"2001:db8::1", reserved, false}, row{"2001:10::1", reserved, false},
        row{"3fff::1", reserved, false}, row{"100::1", reserved, false},
        row{"4000::1", reserved, false}, row{"5f00::1", reserved, false}));

// An IPv4 address in another's clothes passes only if both may.
INSTANTIATE_TEST_SUITE_P(
    translated, addresses,
    testing::Values(
        row{"::ffff:127.0.0.1", translated, true},
        row{"::ffff:8.8.8.8", translated, true},
        row{"::ffff:0.0.0.0", translated, false},
        row{"::ffff:169.254.169.254", translated, false},
        row{"::127.0.0.1", translated, true},
        row{"::169.254.169.254", translated, false},
        row{"::ffff:0:169.254.169.254", translated, false},
        row{"64:ff9b::a00:1", translated, true},      // 10.0.0.1
        row{"64:ff9b::a9fe:a9fe", translated, false}, // 169.254.169.254
        row{"64:ff9b:1::a9fe:a9fe", translated, false},
        row{"64:ff9b::", translated, false}, // nothing within
        // 8.8.8.8 behind prefixes of 48, 56, 64 and 96 bits.
        row{"64:ff9b:1:808:8:800::", translated, true},
        row{"64:ff9b:1:8:8:808::", translated, true},
        row{"64:ff9b:1::8:808:800:0", translated, true},
        row{"64:ff9b:1::808:808", translated, true},
        // 169.254.169.254 likewise.
        row{"64:ff9b:1:a9fe:a9:fe00::", translated, false},
        row{"64:ff9b:1:a9:fe:a9fe::", translated, false},
        row{"64:ff9b:1::a9:fea9:fe00:0", translated, false},
        row{"64:ff9b:0:a9fe:a9:fe00::", translated, false},
        // Octets that the translator does not look at hide nothing.
        row{"64:ff9b:1:a9fe:a9:fe00:808:808", translated, false},
        row{"64:ff9b:1:a9fe:ffa9:fe00::", translated, false},
        row{"2002:7f00:1::", translated, true}, // 127.0.0.1
        row{"2002:a9fe:a9fe::1", translated, false},
        row{"2001:0:4136:e378:8000:63bf:3fff:fdd2", translated,
            false},                                  // 192.0.2.45
        row{"2001::5601:5601", translated, false})); // 169.254.169.254

TEST(address_policy, opens_listed_blocks_only) {
  address_policy policy;
  policy.allowed = {*parse_cidr("10.1.0.0/16"), *parse_cidr("::1")};
  EXPECT_TRUE(policy.permits(make_address("10.1.255.1")));
  EXPECT_FALSE(policy.permits(make_address("10.2.0.1")));
  EXPECT_TRUE(policy.permits(make_address("::1")));
  EXPECT_FALSE(policy.permits(make_address("::2")));
  EXPECT_FALSE(policy.permits(make_address("127.0.0.1")));
  // Listing a v4 block says nothing about addresses mapped into v6.
  EXPECT_FALSE(policy.permits(make_address("::ffff:10.1.0.1")));
}

TEST(address_policy, listing_a_translator_does_not_open_what_is_behind_it) {
  address_policy policy;
  policy.allowed = {*parse_cidr("64:ff9b::/96")};
  EXPECT_TRUE(policy.permits(make_address("64:ff9b::808:808")));
  EXPECT_FALSE(policy.permits(make_address("64:ff9b::7f00:1")));
  EXPECT_FALSE(policy.permits(make_address("64:ff9b::a9fe:a9fe")));
  policy.allowed = {*parse_cidr("64:ff9b:1::/48"), *parse_cidr("64:ff9b::/47")};
  EXPECT_TRUE(policy.permits(make_address("64:ff9b:1:808:8:800::")));
  EXPECT_FALSE(policy.permits(make_address("64:ff9b:1:a00:0:100::")));
  EXPECT_FALSE(policy.permits(make_address("64:ff9b:0:a9fe:a9:fe00::")));
}

TEST(address_policy, a_metadata_service_can_be_listed_by_who_must) {
  address_policy policy;
  policy.allowed = {*parse_cidr("169.254.169.254/32")};
  EXPECT_TRUE(policy.permits(make_address("169.254.169.254")));
}

TEST(parse_cidr, refuses_what_is_no_block) {
  for (const char* text :
       {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
        "10.0.0.1/8", "::1/64", "fe80::1%lo/128", "example.com", "::/129",
        "010.0.0.0/8", "10.0.0/8"})
    EXPECT_FALSE(parse_cidr(text)) << text;
  EXPECT_EQ(parse_cidr("10.0.0.1/8").error().code, ec::bad_configuration);
  EXPECT_TRUE(parse_cidr("0.0.0.0/0")->contains(make_address("9.9.9.9")));
}

} // namespace
} // namespace eventweft::outgoing
