//! Texts that must stay exactly as they are.

use super::redactor;

const HARMLESS: &[&str] = &[
    "",
    "commit 46ad32bd1f0e8a9c7b6d5e4f3a2b1c0d9e8f7a6b",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "d41d8cd98f00b204e9800998ecf8427e",
    "UUID('4242a242-4242-4242-8242-424242424242')",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "1700000000000",
    "ts=1732294892123, ns=1732294892123456789",
    "+49 4911 1234 5678 90, 0049 30 901820, (555) 123-4567",
    "order 1000000000000008, invoice 2024-000123-4567",
    "order_4242424242424242 id-4242424242424242",
    "ISBN 978-3-16-148410-0, EAN 9783161484100",
    "0.4242424242424242, 4242424242424242.5, 1e308",
    "4444 4444 4444 4444",
    "4242 4242 4242 4241",
    "2024-11-22 17:01:32.123456",
    "/usr/lib/python3.11/site-packages/django/core/handlers/base.py",
    r"C:\Users\ann\project\key.txt",
    "ann@example.com, Ann <ann.lee@example.co.uk>",
    "https://example.com:8080/a/b?x=1&y=2#frag",
    "http://[::1]:8080/x, git@github.com:ann/shop.git, ssh://git@github.com/ann/shop.git",
    "http://localhost:8080",
    "https://medium.com/@ann/post-1",
    "f\"postgres://{user}:{password}@{host}/db\"",
    "mysql://ann:%s@host, mysql://ann:****@host, mysql://ann:$PASSWORD@host",
    "SELECT id, name FROM users WHERE id = 3 AND created > '2024-01-01' ORDER BY name",
    "INSERT INTO cart (id, total) VALUES (1, 12.50)",
    "<div class=\"sk-container-id-1 sk-toggleable__label\"><a href='/x'>x</a></div>",
    "<html><head><title>Shop</title></head><body>1 > 0</body></html>",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "Pipeline(steps=[('scaler', StandardScaler()), ('clf', SVC(C=1.0))])",
    "array([[0.1, 0.2], [0.3, 0.4]])",
    "{'a': 1, 'b': [1, 2, 3], 'c': {'d': None}}",
    "<User: ann (3)>, <QuerySet [<User: bob>]>",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "KeyError: 'session_id'",
    "primary_key=True, foreign_key='users.id', key=lambda x: x",
    "basic authentication failed, bearer authentication expected, Basic HTML5support",
    "scikit sk-learn, task-12, risk-based-approach-for-everything",
    "npm_config_registry, npm_package_name, pip install pypi-something",
    "ASIAN, AKIAH, skip, SKU12345, msg.format(x), SG.x",
    "eyJ is how base64 of JSON begins",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "00:AA:11:BB:22:CC:33",
    "fe80::aaaa:bbbb",
    "session.query(User).filter_by(name='ann')",
    "from tokenize import tokenize; tokens = list(tokenize(f))",
    "cc='bob@example.com', bcc=''",
    "mapping={'pinned': True}, keys=['a'], sidebar='left', inside=3",
    "account_id=42, success=True, access_log='/var/log/x'",
    "card_type='visa', card_id=12, cards=[1, 2]",
    "author='ann', authored_at=3, authority=None",
    "grüße: ß, 日本語='テスト', emoji='🎉'",
];

#[test]
fn harmless_texts_stay_exactly_as_they_are() {
    let redactor = redactor();
    for text in HARMLESS {
        assert_eq!(redactor.redact(text), *text);
        assert_eq!(redactor.redact_values(text), *text);
    }
}
