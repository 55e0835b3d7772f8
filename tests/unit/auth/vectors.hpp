// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Keys that were made for these tests, and tokens that other implementations
/// signed with them: Node's crypto module, and PyJWT where it says so. The
/// claims: iss "https://issuer.example", sub "ci", aud ["other", "eventweft"],
/// nbf 2026-01-31T11:58:20Z, exp 2026-01-31T13:00:00Z, scope "read stream:pr_*
/// somebody:elses", eventweft_filter {"source_names":["octo/*"]}.
namespace eventweft::auth::vectors {

inline constexpr std::string_view shared_secret =
    "0123456789abcdef0123456789abcdef";

// PyJWT
inline constexpr std::string_view hs_token =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlc"
    "i5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiLCJldmVudHdlZnQiXSw"
    "iaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV4cCI6MTc2OTg2NDQwM"
    "Cwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5OmVsc2VzIiwiZXZlbnR"
    "3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8qIl19fQ.Zcd70AAi2_"
    "gD_3yePVQQSF3wATnwF7HBh46T6n3f2iY";

// PyJWT
inline constexpr std::string_view pyjwt_rsa_token =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOi"
    "JodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIi"
    "LCJldmVudHdlZnQiXSwiaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsIm"
    "V4cCI6MTc2OTg2NDQwMCwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5"
    "OmVsc2VzIiwiZXZlbnR3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by"
    "8qIl19fQ.LxqwO4kFan-kZLX_kkLEfSBrPLI7So0FymcjwhhW_yiGEjL57Fa_y1HGN"
    "OdqD21GEgOIXKqx0O9CUZLpwpIkcnlwHvGEyUhmHtL2jLYnoOrvTZ6APjhDKVYY3FT"
    "1gbROWKtJHK_Q_rn0gIRTnDWlUN94-fX80_rQQT4nLk72u6QvwlVQ2YdPBV2OViHf9"
    "ERUiswwJaVFBcykWzmExC30oP9jNfEStd03cGa354Ri4nbBNgVSklCzOoVouS_cSrn"
    "T62wXUoP_-JERl6xuBflQ-W5wowFD3bTDNlTyK351NBmsdMAJFVndjhJCnu3-mjSol"
    "P8tOMWJMGTx3zTGKG-zIw";

inline constexpr std::string_view rsa_certificate_pem =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIC+zCCAeOgAwIBAgIUIOdlgQL0MxzuojK2s07mu8Vmcm0wDQYJKoZIhvcNAQEL\n"
    "BQAwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMxNjAzNTBaGA8yMTI2MTAzMDE2MDM1\n"
    "MFowDDEKMAgGA1UEAwwBeDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB\n"
    "AMWv/INE6v6ANZEGYEsJRQiqh63PLJqpV1OHcvE7wtB5cM3jSBKlDORTLZ07LRUH\n"
    "np1f76hx857jYE4OZDw2CwfF1DYqLBtjzaRd+l8B9L76ciVJeZ4OQU97weGkB1GY\n"
    "0fe+LJrtdf61n6a3p9Dkarf7GNDh3JQFOBUXE68Ip6/iRxYKUumDANAoYlyKppmj\n"
    "MHLcy31p+FhPXEYYsxuDddsyDH8DreFfi3jolw7Lz9hfFtf3NnFL3As7LCcbUJkG\n"
    "lLe1nx5nzAsqorrLChW8ACF++bGDupXu2LmtY55ckB4CVsf9qnSYi6KXxjU7HAll\n"
    "moHD5cIgHIUzRt394xFRXykCAwEAAaNTMFEwHQYDVR0OBBYEFNjYNzFoqvcqBf9q\n"
    "h+4bYjZQAPKGMB8GA1UdIwQYMBaAFNjYNzFoqvcqBf9qh+4bYjZQAPKGMA8GA1Ud\n"
    "EwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBABaEo4WM0ceeHlAohakp7yCF\n"
    "wJqSEAKJaoranK2gKclt4yPUgsoUgzBMKCoinjRvuV04vkOA5CwfeoRUOgWAt/sk\n"
    "T0iRaiyRXl9Z8kuyjg3U4cDLey3HqzN+ZHGI7ee5UWAWArP9bAb0kzZZ0ZAiCYI4\n"
    "yBM7B8ZH80KirP2ccyENv0an/jwJI/HkGfIdagdVxKJNsFT6YhA6HQqfyAzYLMAI\n"
    "OuNCu6TLAn0dCLfCTE/vqBk8X/qV3wA6zqvoM0ERsyiJ5JoOKLPC19PnZQVdioiI\n"
    "lBGRXtEwHsgD/cdCMyB1hbCDH9DEQc9thKDPYMlbSfEH2eOfLLrUhiOpT/pjYWc=\n"
    "-----END CERTIFICATE-----\n";

inline constexpr std::string_view rsa_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxa/8g0Tq/oA1kQZgSwlF\n"
    "CKqHrc8smqlXU4dy8TvC0HlwzeNIEqUM5FMtnTstFQeenV/vqHHznuNgTg5kPDYL\n"
    "B8XUNiosG2PNpF36XwH0vvpyJUl5ng5BT3vB4aQHUZjR974smu11/rWfpren0ORq\n"
    "t/sY0OHclAU4FRcTrwinr+JHFgpS6YMA0ChiXIqmmaMwctzLfWn4WE9cRhizG4N1\n"
    "2zIMfwOt4V+LeOiXDsvP2F8W1/c2cUvcCzssJxtQmQaUt7WfHmfMCyqiussKFbwA\n"
    "IX75sYO6le7Yua1jnlyQHgJWx/2qdJiLopfGNTscCWWagcPlwiAchTNG3f3jEVFf\n"
    "KQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view rsa_token =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYS0xIn0.eyJpc3MiOi"
    "JodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIi"
    "LCJldmVudHdlZnQiXSwiaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsIm"
    "V4cCI6MTc2OTg2NDQwMCwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5"
    "OmVsc2VzIiwiZXZlbnR3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by"
    "8qIl19fQ.OOIuXzNk4fG5RWJNryiEuVY_gMRVf5g7i7-Cd69hs_8ejOuGwgXYZJaqr"
    "bZm4cfi5ZJyO3opDCb-292adp6-g0MyYet8Ycuah7xJokeOHxJtHQGHHEq8MDPU0GA"
    "rxDWQCX-jejdYmSl4VSbe9-Uweygsa4IM05NJI-kPBz_ehFhrQ9kJVbxwpbv577C1q"
    "OhID-vEha4yxvoZ_9sKjcOFBkEyionk72lnmeHaQnrXYy7pce6d8WPssCKFM7fGM1k"
    "6DM85B1JmKFv739gWzjKwVeuf7OZNjn08y_ia1iDxZHxguHy18AGCywF09FD_624PF"
    "3hoLRiJdOsil2yB3QTDxQ";

inline constexpr std::string_view rsa_token_without_kid =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlc"
    "i5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiLCJldmVudHdlZnQiXSw"
    "iaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV4cCI6MTc2OTg2NDQwM"
    "Cwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5OmVsc2VzIiwiZXZlbnR"
    "3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8qIl19fQ.RVHWcxQDzt"
    "o6uNte7loIsPXcu-U9lTlVcvuPhQ0Zy13EyOl6DzPgiUfEXSb6wRwijAoboIUApr05"
    "vtTc1jYLJ0hik_rmQtwwCERlBMZMZOlg_AYwsAidsXp9OGBTkmcIPkKwZ_uchPO6a0"
    "41ahBebnoarmbvs9CMIC8XEHQX1MAuQUDIGOyWU7PYYicW2dihFdxNOmPA397wZoFT"
    "9mNudDZWTmt7gnP9_YrMSJvSaZuSRnwik1UlUY6H2_tibk0cqlJkXOYdBgFUsDYi4t"
    "JI8G4MEnkwat6CNlcJ9oWoTafYCGUeH2ol4uVALW_Nt2b-8ww3rGRFpKvZMqQ1bzoJ"
    "gw";

inline constexpr std::string_view ec_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyl6wH41PJ8MlQl8LbNXAETNYsOgq\n"
    "POsoP/FzApy+2Al5zvs3jaCBER66Oj2Ai2/ppk2M8ArYd8fx+Dag+rW7aQ==\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view ec_token =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTEifQ.eyJpc3MiOiJ"
    "odHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiL"
    "CJldmVudHdlZnQiXSwiaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV"
    "4cCI6MTc2OTg2NDQwMCwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5O"
    "mVsc2VzIiwiZXZlbnR3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8"
    "qIl19fQ.Mi-ga0YzyJXHswmhV6BJq_B7px_wUzV4CUcr-jFImmzEyXMaJi7JjxKPEL"
    "qDdehs5Ep6vtowTLXOH_Gqm4E3pQ";

inline constexpr std::string_view ec_token_without_kid =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlc"
    "i5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiLCJldmVudHdlZnQiXSw"
    "iaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV4cCI6MTc2OTg2NDQwM"
    "Cwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5OmVsc2VzIiwiZXZlbnR"
    "3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8qIl19fQ.weujxr4MXc"
    "CXGEj37MGKq9FNCTVtj92KM6Zu7LJdTH2vtuDQQp4Vme3yRDi3bG0RH8caB1yUxzrc"
    "0EFhVc1J9A";

inline constexpr std::string_view ed_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAjDlTnb+6cFb522oOU3Fx/gu3aJ1eMgLiYcR2WRGlE2Q=\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view ed_token =
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkLTEifQ.eyJpc3MiOiJ"
    "odHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiL"
    "CJldmVudHdlZnQiXSwiaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV"
    "4cCI6MTc2OTg2NDQwMCwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5O"
    "mVsc2VzIiwiZXZlbnR3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8"
    "qIl19fQ.WIa2RCc1XnEi7V25nkg0OEHXW17-ZZR0D3QffQ5bV3sb_VAnlmrwrGfvfZ"
    "TxMMWvCn12s2Lv9FoaKig6oZmQAw";

inline constexpr std::string_view ed_token_without_kid =
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlc"
    "i5leGFtcGxlIiwic3ViIjoiY2kiLCJhdWQiOlsib3RoZXIiLCJldmVudHdlZnQiXSw"
    "iaWF0IjoxNzY5ODYwNzAwLCJuYmYiOjE3Njk4NjA3MDAsImV4cCI6MTc2OTg2NDQwM"
    "Cwic2NvcGUiOiJyZWFkIHN0cmVhbTpwcl8qIHNvbWVib2R5OmVsc2VzIiwiZXZlbnR"
    "3ZWZ0X2ZpbHRlciI6eyJzb3VyY2VfbmFtZXMiOlsib2N0by8qIl19fQ.MW8kdIBmne"
    "K7ZniqajR_zxZUjahz5H9M9Tpk32cvStRLZQ8l2pinv5Lw6PfOjiIT97sFEeFp6Bwr"
    "Jx9dz4DQDw";

inline constexpr std::string_view small_rsa_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDVBvTc+fwhE20U9yr4abNprJtv\n"
    "GDkpWkV6uzpjRHSZ7IU23soksL51dDUG0h4eIPB0mEmn46fKIAwYDrUfgvEYX6kl\n"
    "K5141VSeBcxVKjcIdWIKt9oa8qMwRkPOy4RObqU6bZoYbhaHeg88LOKminT/Tcsj\n"
    "PcX3IwUzfoAnRUns4wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view p384_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEEP+c/zSsV+mW5ETKheGKedJ8pNeokWlm\n"
    "sgVDPUC3L1+vEz2OZZLnwGQIaTme0A591nI5ABCIX6t7YvH6IdiLgVhxs+3fv6fR\n"
    "oHPtfLnUZsXP9Olvd7+cTufdxWTsmNdb\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view private_pem =
    "-----BEGIN "
    "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIF9xHNZaDA/rkILzx9loDJVLgEg8jcYEfC1kb7LhI7JX\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view key_set =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"xa_8g0Tq_"
    "oA1kQZgSwlFCKqHrc8smqlXU4dy8Tv"
    "C0HlwzeNIEqUM5FMtnTstFQeenV_vqHHznuNgTg5kPDYLB8XUNiosG2PNpF36XwH0v"
    "vpyJUl5ng5BT3vB4aQHUZjR974smu11_rWfpren0ORqt_sY0OHclAU4FRcTrwinr-J"
    "HFgpS6YMA0ChiXIqmmaMwctzLfWn4WE9cRhizG4N12zIMfwOt4V-LeOiXDsvP2F8W1"
    "_c2cUvcCzssJxtQmQaUt7WfHmfMCyqiussKFbwAIX75sYO6le7Yua1jnlyQHgJWx_2"
    "qdJiLopfGNTscCWWagcPlwiAchTNG3f3jEVFfKQ\",\"e\":\"AQAB\",\"kid\":\"rsa-"
    "1\","
    "\"use\":\"sig\",\"alg\":\"RS256\"},{\"kty\":\"EC\",\"x\":"
    "\"yl6wH41PJ8MlQl8LbNXAET"
    "NYsOgqPOsoP_FzApy-2Ak\",\"y\":\"ec77N42ggREeujo9gItv6aZNjPAK2HfH8fg2oP"
    "q1u2k\",\"crv\":\"P-256\",\"kid\":\"ec-1\",\"use\":\"sig\"},{\"crv\":"
    "\"Ed25519\",\"x"
    "\":\"jDlTnb-6cFb522oOU3Fx_gu3aJ1eMgLiYcR2WRGlE2Q\",\"kty\":\"OKP\","
    "\"kid\":"
    "\"ed-1\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"]},{\"kty\":\"EC\","
    "\"x\":\"EP-c_z"
    "SsV-mW5ETKheGKedJ8pNeokWlmsgVDPUC3L1-vEz2OZZLnwGQIaTme0A59\",\"y\":\"1"
    "nI5ABCIX6t7YvH6IdiLgVhxs-3fv6fRoHPtfLnUZsXP9Olvd7-cTufdxWTsmNdb\",\""
    "crv\":\"P-384\",\"kid\":\"p384\"},{\"kty\":\"RSA\",\"n\":\"xa_8g0Tq_"
    "oA1kQZgSwlFC"
    "KqHrc8smqlXU4dy8TvC0HlwzeNIEqUM5FMtnTstFQeenV_vqHHznuNgTg5kPDYLB8X"
    "UNiosG2PNpF36XwH0vvpyJUl5ng5BT3vB4aQHUZjR974smu11_rWfpren0ORqt_sY0"
    "OHclAU4FRcTrwinr-JHFgpS6YMA0ChiXIqmmaMwctzLfWn4WE9cRhizG4N12zIMfwO"
    "t4V-LeOiXDsvP2F8W1_c2cUvcCzssJxtQmQaUt7WfHmfMCyqiussKFbwAIX75sYO6l"
    "e7Yua1jnlyQHgJWx_2qdJiLopfGNTscCWWagcPlwiAchTNG3f3jEVFfKQ\",\"e\":\"AQ"
    "AB\",\"kid\":\"enc\",\"use\":\"enc\"},{\"kty\":\"unheard-of\"}]}";

} // namespace eventweft::auth::vectors
