package xmlenc

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"testing"
)

// TestLengthsOfCBC has ciphertexts of every length up to four blocks. An IV and
// one block is the shortest that holds anything: <saml:NameID/> fits.
func TestLengthsOfCBC(t *testing.T) {
	t.Parallel()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n <= 4*aes.BlockSize; n++ {
		ciphertext := make([]byte, n)
		whole := n >= 2*aes.BlockSize && n%aes.BlockSize == 0
		want := bytes.Repeat([]byte{'x'}, max(0, n-aes.BlockSize-1))
		if whole {
			padded := append(bytes.Clone(want), 1)
			cipher.NewCBCEncrypter(block, ciphertext[:aes.BlockSize]).CryptBlocks(ciphertext[aes.BlockSize:], padded)
		}
		plain, sound := openCBC(block, ciphertext, make([]byte, n))
		if (sound == 1) != whole || whole && !bytes.Equal(plain, want) {
			t.Errorf("%d bytes: sound %d, %d bytes of plaintext", n, sound, len(plain))
		}
	}
}
