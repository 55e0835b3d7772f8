// SPDX-License-Identifier: Apache-2.0
#include "codec/cloudevents.hpp"
#include "crypto/digest.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

expected<cloudevent> structured(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root))
    return fail(ec::internal, "the test's text is not JSON");
  return read_structured_cloudevent(root, text);
}

expected<cloudevent> with(std::string_view member) {
  return structured(
      R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)" +
      std::string{member} + "}");
}

// The value that an attribute was kept as, or why it was not.
std::string kept(std::string_view member) {
  const auto read = with(member);
  if (!read)
    return read.error().code == ec::malformed ? read.error().message
                                              : to_string(read.error());
  return read->attributes.empty() ? "" : read->attributes.front().second;
}

header_list binary_headers() {
  return {{"ce-specversion", "1.0"},
          {"ce-id", "1"},
          {"ce-source", "/s"},
          {"ce-type", "t"}};
}

TEST(cloudevents_mode, looks_for_the_batch_before_the_event) {
  const auto of = [](std::string type) {
    return cloudevents_mode_of({{"content-type", std::move(type)}});
  };
  EXPECT_EQ(of("application/cloudevents-batch+json"),
            cloudevents_mode::batched);
  EXPECT_EQ(of("Application/CloudEvents+JSON; charset=UTF-8"),
            cloudevents_mode::structured);
  EXPECT_EQ(of("application/json"), cloudevents_mode::none);
  EXPECT_EQ(cloudevents_mode_of({{"ce-id", "1"}}), cloudevents_mode::binary);
  // A structured event may repeat its attributes in headers.
  EXPECT_EQ(
      cloudevents_mode_of(
          {{"ce-id", "1"}, {"content-type", "application/cloudevents+json"}}),
      cloudevents_mode::structured);
}

TEST(cloudevents_header, takes_a_uri_whose_escapes_were_left_as_they_are) {
  const auto source_of = [](std::string value) {
    auto headers = binary_headers();
    headers[2].second = std::move(value);
    const auto read = read_binary_cloudevent(headers, {});
    return read ? read->source : read.error().message;
  };
  // As the binding has it, and as the SDK for JavaScript does.
  EXPECT_EQ(source_of("/caf%25C3%25A9"), "/caf%C3%A9");
  EXPECT_EQ(source_of("/caf%C3%A9"), "/caf%C3%A9");
  EXPECT_NE(source_of("/a b%20c").find("URI reference"), std::string::npos);
}

TEST(cloudevents_header, undoes_the_bindings_encoding) {
  const auto of = [](std::string_view text) {
    return decode_cloudevents_header(text).value_or("-");
  };
  EXPECT_EQ(of("plain"), "plain");
  EXPECT_EQ(of("Euro%20%E2%82%AC%20%F0%9F%98%80"),
            "Euro \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(of(R"("a \"b\" c")"), R"(a "b" c)");
  // Once only.
  EXPECT_EQ(of("%2520"), "%20");
  EXPECT_EQ(of("100%"), "100%");
  EXPECT_EQ(of("%zz"), "%zz");
  // An overlong form, a lone surrogate, a cut sequence.
  EXPECT_EQ(of("%C0%A0"), "-");
  EXPECT_EQ(of("%ED%A0%80"), "-");
  EXPECT_EQ(of("%E2%82"), "-");
}

TEST(cloudevents_structured, needs_the_four_attributes) {
  EXPECT_TRUE(with(R"("data":1)"));
  for (const std::string name : {"specversion", "id", "source", "type"}) {
    std::string text = R"({"specversion":"1.0","id":"1","source":"/s",)"
                       R"("type":"t"})";
    text.replace(text.find("\"" + name + "\""), name.size() + 2, "\"other\"");
    const auto read = structured(text);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ec::malformed);
    EXPECT_NE(read.error().message.find(name + " is missing"),
              std::string::npos);
  }
  EXPECT_FALSE(structured("[]"));
}

TEST(cloudevents_structured, knows_version_one_only) {
  const auto read =
      structured(R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ec::unprocessable);
}

TEST(cloudevents_structured, refuses_attributes_that_are_none) {
  EXPECT_FALSE(with(R"("Upper":"x")"));
  EXPECT_FALSE(with(R"("under_score":"x")"));
  EXPECT_FALSE(with(R"("object":{})"));
  EXPECT_FALSE(with(R"("list":[])"));
  EXPECT_FALSE(with(R"("real":1.5)"));
  EXPECT_FALSE(with(R"("time":"yesterday")"));
  EXPECT_FALSE(with(R"("time":5)"));
  EXPECT_FALSE(with(R"("subject":"")"));
  EXPECT_FALSE(with(R"("control":"a\nb")"));
  EXPECT_FALSE(with(R"("dataschema":"a b")"));
  EXPECT_FALSE(
      structured(R"({"specversion":"1.0","id":1,"source":"/s","type":"t"})"));
  EXPECT_FALSE(structured(
      R"({"specversion":"1.0","id":"1","source":"a b","type":"t"})"));
  EXPECT_TRUE(with(R"("flag":true,"number":-3,"nothing":null)"));
}

TEST(cloudevents_structured, takes_absolute_uris_only_as_the_datas_schema) {
  for (const std::string uri :
       {"https://example.com/s.json", "https://example.com/s.json#/v1",
        "urn:example:order:1", "x-a+b.1:s"})
    EXPECT_EQ(kept(R"("dataschema":")" + uri + '"'), '"' + uri + '"');
  for (const std::string none :
       {"", "rel", "/rel", "//example.com/s", "#v1", "?a=b:c", ":s", "1a:s",
        "a/b:c", "a_b:c", "https://a b", "https://a/{b}"})
    EXPECT_EQ(kept(R"("dataschema":")" + none + '"'),
              "CloudEvents attribute dataschema is not an absolute URI")
        << none;
}

TEST(cloudevents_structured, takes_uri_references_only_as_source) {
  const auto from = [](const std::string& source) {
    return structured(R"({"specversion":"1.0","id":"1","type":"t","source":")" +
                      source + "\"}");
  };
  for (const std::string source :
       {"/s", "#", "?q", "mailto:a@b", "urn:uuid:1", "https://[::1]:8080/a?b#c",
        "//[2001:db8::1]/x", "/%C3%A9", "a:b@c;d,e=f"})
    EXPECT_TRUE(from(source)) << source;
  for (const std::string source :
       {"%zz", "%", "/a%2", "http://[::1", "http://::1]", "/[a]", "a[b]",
        "http://h/[::1]", "http://[::1][::2]/", "\u00e9", "a b", "<s>"})
    EXPECT_FALSE(from(source)) << source;
}

TEST(cloudevents_structured, takes_characters_only) {
  for (const std::string text :
       {"\\u0001", "\\u007f", "\\u0085", "\\u009f", "\\ufdd0", "\\ufdef",
        "\\ufffe", "\\uffff", "\\ud83f\\udffe", "\\udbff\\udfff"})
    EXPECT_FALSE(with(R"("subject":"a)" + text + "b\"")) << text;
  for (const std::string text :
       {"\\u00a0", "\\u00e9", "\\ufdcf", "\\ufdf0", "\\ufffd", "\\ud83d\\ude00",
        "\\ud83f\\udffd", "\\u0bbf"})
    EXPECT_TRUE(with(R"("subject":"a)" + text + "b\"")) << text;
}

TEST(cloudevents_structured, takes_media_types_only_as_the_datas_type) {
  for (const std::string type :
       {"application/json", "text/plain; charset=utf-8",
        "Application/vnd.example.v1+json ; a=b"})
    EXPECT_TRUE(with(R"("datacontenttype":")" + type + '"')) << type;
  for (const std::string type : {"", "garbage", "/", "text/", "/plain", "a/b/c",
                                 "text/pl ain,x", "te(xt)/plain"})
    EXPECT_EQ(kept(R"("datacontenttype":")" + type + '"'),
              "CloudEvents attribute datacontenttype is not a media type")
        << type;
}

TEST(cloudevents_structured, takes_integers_of_32_bits_only) {
  for (const std::string number : {"0", "2147483647", "-2147483648"})
    EXPECT_EQ(kept(R"("ext":)" + number), number);
  for (const std::string number :
       {"2147483648", "-2147483649", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615"})
    EXPECT_EQ(kept(R"("ext":)" + number),
              "CloudEvents attribute ext is an integer of more than 32 bits; "
              "send a string");
  EXPECT_EQ(kept(R"("ext":"2147483648")"), R"("2147483648")");
}

TEST(cloudevents_structured, keeps_the_datas_own_bytes) {
  const auto data = [](std::string_view member) {
    const auto read = with(member);
    return read ? std::string{read->data.view()} : to_string(read.error());
  };
  EXPECT_EQ(data(R"("data" : { "a":1.10 } )"), R"({ "a":1.10 })");
  EXPECT_EQ(data(R"("data":"<a/>","datacontenttype":"text/xml")"), R"("<a/>")");
  EXPECT_EQ(data(R"("data":null)"), "null");
  EXPECT_EQ(data(R"("x":"y")"), "null");
  EXPECT_EQ(data(R"("data_base64":"AAEC")"), R"({"data_base64":"AAEC"})");
  EXPECT_FALSE(with(R"("data_base64":"!")"));
  EXPECT_FALSE(with(R"("data_base64":1)"));
  EXPECT_FALSE(with(R"("data_base64":"AAEC","data":1)"));
}

TEST(cloudevents_structured, takes_bytes_for_what_they_are) {
  const auto data = [](std::string_view bytes, std::string_view type) {
    const auto read = with(R"("data_base64":")" + crypto::to_base64(bytes) +
                           "\"" + std::string{type});
    return read ? std::string{read->data.view()} : to_string(read.error());
  };
  constexpr std::string_view json = R"({ "a":1.10 })";
  const auto as_base64 = [](std::string_view bytes) {
    return R"({"data_base64":")" + crypto::to_base64(bytes) + "\"}";
  };
  EXPECT_EQ(data(json, ""), json);
  EXPECT_EQ(data(json, R"(,"datacontenttype":"application/vnd.x+json; v=1")"),
            json);
  EXPECT_EQ(data(json, R"(,"datacontenttype":"application/xml")"),
            as_base64(json));
  EXPECT_EQ(data("say \"hi\"", R"(,"datacontenttype":"text/plain")"),
            R"("say \"hi\"")");
  for (const auto* none : {"", "{", "{} {}", "\xff"}) {
    EXPECT_EQ(data(none, ""), as_base64(none));
    EXPECT_EQ(data(none, R"(,"datacontenttype":"application/json")"),
              as_base64(none));
  }
}

TEST(cloudevents_structured, shows_bytes_before_it_makes_anything_of_them) {
  const auto data = [](std::string_view bytes, std::string_view type) {
    const auto text = R"({"specversion":"1.0","id":"1","source":"/s",)"
                      R"("type":"t","datacontenttype":")" +
                      std::string{type} + R"(","data_base64":")" +
                      crypto::to_base64(bytes) + "\"}";
    simdjson::dom::parser parser;
    const auto read = read_structured_cloudevent(
        parser.parse(text), text, [](std::string_view shown) {
          std::optional<std::string> kept;
          if (const auto at = shown.find("secret"); at != shown.npos)
            kept = std::string{shown}.replace(at, 6, "-");
          return kept;
        });
    return read ? std::string{read->data.view()} : to_string(read.error());
  };
  EXPECT_EQ(data(R"({"k":"secret"})", "application/json"), R"({"k":"-"})");
  EXPECT_EQ(data("a secret", "text/plain"), R"("a -")");
  EXPECT_EQ(data("a secret", "image/svg"),
            R"({"data_base64":")" + crypto::to_base64("a -") + "\"}");
  EXPECT_EQ(data("open", "text/plain"), R"("open")");
}

TEST(cloudevents_structured, refuses_what_is_given_twice) {
  for (const auto* member :
       {R"("id":"2")", R"("specversion":"1.0")", R"("x":"1","x":"2")",
        R"("subject":"a","subject":"b")", R"("data":1,"data":2)",
        R"("data_base64":"AAEC","data_base64":"AAEC")"}) {
    const auto read = with(member);
    ASSERT_FALSE(read) << member;
    EXPECT_EQ(read.error().code, ec::malformed);
    EXPECT_NE(read.error().message.find("is given twice"), std::string::npos);
  }
}

TEST(cloudevents_binary, refuses_attributes_that_are_given_twice) {
  for (const auto* name : {"ce-id", "ce-x"}) {
    auto headers = binary_headers();
    headers.emplace_back("ce-x", "1");
    headers.emplace_back(name, "2");
    EXPECT_FALSE(read_binary_cloudevent(headers, {})) << name;
  }
}

TEST(cloudevents_binary, takes_data_of_any_type) {
  const auto data = [](std::string type, std::string body) {
    auto headers = binary_headers();
    headers.emplace_back("content-type", std::move(type));
    const auto read =
        read_binary_cloudevent(headers, shared_text{std::move(body)});
    return read ? std::string{read->data.view()} : to_string(read.error());
  };
  EXPECT_EQ(data("application/json", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(data("application/vnd.x+json; v=1", "[1]"), "[1]");
  EXPECT_EQ(data("text/plain", "say \"hi\""), R"("say \"hi\"")");
  EXPECT_EQ(data("application/octet-stream", std::string("\0\1\2", 3)),
            R"({"data_base64":"AAEC"})");
  EXPECT_EQ(data("text/plain", "\xff"), R"({"data_base64":"/w=="})");
  EXPECT_EQ(data("application/json", ""), "null");
}

TEST(cloudevents_binary, keeps_other_attributes) {
  auto headers = binary_headers();
  headers.emplace_back("ce-subject", "x");
  headers.emplace_back("ce-traceparent", "00-0af7");
  headers.emplace_back("ce-dataschema", "https://example.com/s%23v1");
  headers.emplace_back("content-type", "application/json");
  const auto read = read_binary_cloudevent(headers, shared_text{"1"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->subject, "x");
  ASSERT_EQ(read->attributes.size(), 3u);
  EXPECT_EQ(read->attributes[0].first, "traceparent");
  EXPECT_EQ(read->attributes[0].second, "\"00-0af7\"");
  EXPECT_EQ(read->attributes[1].first, "dataschema");
  EXPECT_EQ(read->attributes[1].second, "\"https://example.com/s#v1\"");
  EXPECT_EQ(read->attributes[2].first, "datacontenttype");
}

TEST(cloudevents_binary, refuses_what_has_no_place_in_headers) {
  for (const auto& [name, value] :
       {std::pair{"ce-datacontenttype", "text/plain"},
        {"ce-data", "x"},
        {"ce-under_score", "x"},
        {"ce-", "x"},
        {"ce-dataschema", "rel"},
        {"ce-dataschema", ""},
        {"ce-x", "%FF"},
        {"ce-x", "%0A"}}) {
    auto headers = binary_headers();
    headers.emplace_back(name, value);
    const auto read = read_binary_cloudevent(headers, {});
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ec::malformed) << name;
  }
  EXPECT_EQ(
      read_binary_cloudevent(binary_headers(), shared_text{"x"}).error().code,
      ec::unsupported_media_type);
}

} // namespace
} // namespace eventweft::codec
