package xmlenc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
)

const (
	gcmNonce = 12 // XML Encryption 1.1, 5.2: 96 bits before the ciphertext,
	gcmTag   = 16 // 128 bits after it
)

// open decrypts a ciphertext into room, which is as long. sound is 0 if the tag
// does not fit or the padding is wrong, and then the plaintext is worth nothing:
// that of GCM is nil, that of CBC what came out, so that the caller's work can
// stay the same.
func (c *content) open(key, ciphertext, room []byte) (plain []byte, sound int) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, 0 // no key has another size than those of AES
	}
	if c.gcm {
		return openGCM(block, ciphertext, room)
	}
	return openCBC(block, ciphertext, room)
}

func openGCM(block cipher.Block, ciphertext, room []byte) ([]byte, int) {
	// A shorter tag would be guessed the sooner.
	if len(ciphertext) < gcmNonce+gcmTag {
		return nil, 0
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, 0
	}
	plain, err := aead.Open(room[:0], ciphertext[:gcmNonce], ciphertext[gcmNonce:], nil)
	if err != nil {
		return nil, 0
	}
	return plain, 1
}

func openCBC(block cipher.Block, ciphertext, room []byte) (plain []byte, sound int) {
	// The standard library panics at a partial block, and so does a slice of an
	// IV that is not there.
	if len(ciphertext) < 2*aes.BlockSize || len(ciphertext)%aes.BlockSize != 0 {
		return nil, 0
	}
	iv, body := ciphertext[:aes.BlockSize], ciphertext[aes.BlockSize:]
	plain = room[:len(body)]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, body)
	return unpad(plain)
}

// unpad takes the padding off (XML Encryption 1.1, 5.2: its length is the last
// byte, the others may be anything). It does so without a branch: a receiver
// whose time tells good padding from bad decrypts for whoever asks
// (Vaudenay 2002). Of bad padding one byte comes off.
func unpad(plain []byte) ([]byte, int) {
	n := int(plain[len(plain)-1])
	sound := subtle.ConstantTimeLessOrEq(1, n) & subtle.ConstantTimeLessOrEq(n, aes.BlockSize)
	return plain[:len(plain)-subtle.ConstantTimeSelect(sound, n, 1)], sound
}

// decodeBase64 takes white space wherever it stands, but no other alphabet,
// padding or stray bits. It returns nil for what is no base64.
func decodeBase64(s string) []byte {
	src := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
		default:
			src = append(src, s[i])
		}
	}
	n, err := base64.StdEncoding.Strict().Decode(src, src)
	if err != nil {
		return nil
	}
	return src[:n]
}
